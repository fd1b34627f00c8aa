"""Engines that run shards: processes of this machine, or Ray, here or on a cluster."""

import os
import socket
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from livemood.apps.batch.dataset import Part
from livemood.apps.batch.shard import Shard, ShardOptions, read_shard, set_up
from livemood.bundles.manifest import named_bundle
from livemood.core.errors import LivemoodError
from livemood.core.settings import EngineChoice
from livemood.runtime.closeable import Closeable
from livemood.runtime.optional_deps import required
from livemood.runtime.processes import usable_cores
from livemood.runtime.storage import is_url
from livemood.runtime.workers import on_processes

RAY: Final = "'livemood[ray]'"
_AHEAD: Final = 2
_RETRIES: Final = 3
_CONNECT_S: Final = 5.0


class Engine(Closeable):
    """Runs shards; shards under way when it is closed may be lost, and are read again by the next run.

    Attributes:
        workers: How many shards it reads at the same time.
    """

    workers: int

    @abstractmethod
    def run(self, shards: Iterable[Shard], options: ShardOptions) -> Iterator[tuple[Shard, Part | None]]:
        """Yield each shard with its part when it is done; with None if it killed its process each time."""


class LocalEngine(Engine):
    """Processes of this machine.

    Args:
        workers: How many.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, shards: Iterable[Shard], options: ShardOptions) -> Iterator[tuple[Shard, Part | None]]:
        """Yield each shard when it is done; None for one that killed its process twice."""
        yield from on_processes(shards, read_shard, self.workers, set_up, (options,), _AHEAD, ordered=False)

    def close(self) -> None:
        """Do nothing: processes end with the run."""


class RayEngine(Engine):
    """Ray Core tasks of one core each; Ray retries a task whose worker was killed, three times.

    Args:
        workers: Tasks at the same time; by default as many as the cluster has cores.
        address: Of a cluster: ``auto``, ``host:port`` or ``ray://host:port``; None starts Ray on this machine.

    Raises:
        LivemoodError: Ray is not installed or does not start, or nothing answers at the address.
    """

    def __init__(self, workers: int | None, address: str | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage statistics, unless the user has enabled them
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        self._ray: Any = required("ray", RAY)
        if address:
            _check_address(address)
        try:
            self._ray.init(
                address=address or "local",
                num_cpus=workers if address is None else None,
                include_dashboard=False if address is None else None,
                log_to_driver=False,
                logging_level="ERROR",
                configure_logging=True,
            )
        except Exception as error:  # a start that takes too long has no class of its own
            what = " ".join(str(error).split())[:200]
            if address:
                raise LivemoodError(f"no Ray at {address} ({what})", "try another {address}") from error
            raise LivemoodError(f"Ray did not start ({what})", "try again, or leave {engine} out") from error
        self.workers = workers or max(int(self._ray.cluster_resources().get("CPU", 1)), 1)

    def run(self, shards: Iterable[Shard], options: ShardOptions) -> Iterator[tuple[Shard, Part | None]]:
        """Yield each shard with its part when it is done; with None if its worker was killed each time."""
        ray = self._ray
        task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_read_on_ray)
        shared, folder = ray.put(options), os.getcwd()  # noqa: PTH109
        left = iter(shards)
        under_way: dict[Any, Shard] = {}
        while True:
            while len(under_way) < self.workers * _AHEAD and (shard := next(left, None)) is not None:
                under_way[task.remote(shared, shard, folder)] = shard
            if not under_way:
                return
            done, _ = ray.wait(list(under_way), num_returns=1)
            for reference in done:
                yield under_way.pop(reference), self._result(reference)

    def _result(self, reference: Any) -> Part | None:
        errors = self._ray.exceptions
        try:
            part: Part = self._ray.get(reference)
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError):
            return None
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, LivemoodError):
                raise cause from None
            raise
        return part

    def close(self) -> None:
        """Leave the cluster; Ray stops this run's tasks."""
        with suppress(Exception):  # it may be gone already
            self._ray.shutdown()


def open_engine(choice: EngineChoice, workers: int | None, address: str | None) -> Engine:
    """Return an engine by its name; without ``workers``, it uses all cores.

    Raises:
        LivemoodError: As ``RayEngine``.
    """
    return RayEngine(workers, address) if choice == "ray" else LocalEngine(workers or usable_cores())


def _read_on_ray(options: ShardOptions, shard: Shard, folder: str) -> Part:
    from livemood.runtime.native_output import silence_native_logs

    silence_native_logs()
    _enter(folder, options, shard)
    set_up(options)
    return read_shard(shard)


def _enter(folder: str, options: ShardOptions, shard: Shard) -> None:
    """Make relative paths mean the same as in the process that started the batch; Ray starts workers elsewhere."""
    try:
        os.chdir(folder)
    except OSError as error:
        model = str(named_bundle(options.photo.reader.model))
        places = (options.out, options.labelled or options.out, model, *(one.path for one in shard.inputs))
        for place in places:
            if not is_url(place) and not Path(place).is_absolute():
                raise LivemoodError(
                    f"{place} cannot be found on {socket.gethostname()}: {folder} is not there ({error.strerror})",
                    "give whole paths, or start the batch in a folder that all machines share",
                ) from error


def _check_address(address: str) -> None:
    """Raise at once if nothing answers at the address; Ray would try for minutes."""
    host, found, port = address.removeprefix("ray://").rpartition(":")
    if not found or not port.isdecimal():
        return  # "auto", or a name that Ray looks up by itself
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
    except (OSError, OverflowError) as error:
        what = getattr(error, "strerror", None) or str(error)
        raise LivemoodError(
            f"nothing answers at {address} ({what})", "start Ray there, or try another {address}"
        ) from error

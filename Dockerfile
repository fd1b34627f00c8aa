# The slim install, without windows and without training:
#   docker build -t livemood .
#   docker run --rm --network none --user "$(id -u):$(id -g)" -v "$PWD:/data" livemood video clip.mp4 --records moods.jsonl
# As your own user, it may write into your folder; otherwise it runs as 10001, which is nobody.
FROM python:3.13-slim
WORKDIR /src
COPY requirements-slim.txt ./
RUN sed s/opencv-contrib-python/opencv-contrib-python-headless/ requirements-slim.txt > requirements.txt
RUN pip install --no-cache-dir -r requirements.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY models models
COPY livemood livemood
RUN pip install --no-cache-dir --no-deps .
RUN livemood models
WORKDIR /data
USER 10001:10001
ENV HOME=/tmp
ENTRYPOINT ["livemood"]
CMD ["doctor"]

.PHONY: build run
build:
	go run ./web/build
	go build -trimpath -ldflags='-s -w' -o bin/keypeg ./server/cmd/keypeg

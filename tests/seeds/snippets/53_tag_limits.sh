prefect concurrency-limit create database-writes 10
prefect concurrency-limit create third-party-api 3
prefect concurrency-limit ls

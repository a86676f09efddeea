/**
 * The configuration of a process that is given none: agent and backend on loopback. It is YAML, so
 * that it goes the way of any other: `print-config` shows it, `--set` changes it.
 */
export const defaultConfig = `receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:4317
      http:
        endpoint: 127.0.0.1:4318
  awsxray:
    endpoint: 127.0.0.1:2000
    proxy_server:
      endpoint: 127.0.0.1:2000

exporters:
  store:
    store: clickhouse

stores:
  clickhouse: {}

extensions:
  xray_api:
    endpoint: 127.0.0.1:2080
    store: clickhouse
  console:
    endpoint: 127.0.0.1:2080
    store: clickhouse
  health:
    endpoint: 127.0.0.1:2080

service:
  extensions: [xray_api, console, health]
  pipelines:
    traces:
      receivers: [otlp, awsxray]
      exporters: [store]
`;

export const defaultSource = 'the default configuration';

import type { StatusAnswer } from '../api/answers.ts';

/** A tab of the first page: what to set so that one kind of sender finds this process. */
export interface SnippetTab {
  readonly id: 'xray' | 'otlp' | 'aws' | 'containers';
  readonly label: string;
  /** Component type whose first span chooses this tab. */
  readonly chosenBy: string | undefined;
  readonly snippets: readonly Snippet[];
  /** Why there are none. */
  readonly missing: string;
}

export interface Snippet {
  readonly title: string;
  readonly text: string;
}

export function snippetTabs(environment: StatusAnswer['environment']): readonly SnippetTab[] {
  const {
    AWS_XRAY_DAEMON_ADDRESS: daemon,
    OTEL_EXPORTER_OTLP_ENDPOINT: otlp,
    AWS_ENDPOINT_URL_XRAY: api,
  } = environment;
  return [
    {
      id: 'xray',
      label: 'X-Ray SDK',
      chosenBy: 'awsxray',
      missing: 'No listener takes X-Ray segments in this configuration.',
      snippets: daemon
        ? [
            { title: 'Set this where your program runs', text: `export AWS_XRAY_DAEMON_ADDRESS=${daemon}` },
            { title: 'Or send one segment from a shell (bash)', text: segmentCommand(daemon) },
          ]
        : [],
    },
    {
      id: 'otlp',
      label: 'OpenTelemetry',
      chosenBy: 'otlp',
      missing: 'No listener takes OTLP in this configuration.',
      snippets: otlp
        ? [
            {
              title: 'Set this where your program runs',
              text: `export OTEL_EXPORTER_OTLP_ENDPOINT=${otlp}\nexport OTEL_TRACES_EXPORTER=otlp`,
            },
            { title: 'Or send one span from a shell', text: spanCommand(otlp) },
          ]
        : [],
    },
    {
      id: 'aws',
      label: 'AWS CLI and SDK',
      chosenBy: undefined,
      missing: 'No listener answers the X-Ray API in this configuration.',
      snippets: api
        ? [
            { title: 'Every AWS SDK and the CLI then ask this process', text: `export AWS_ENDPOINT_URL_XRAY=${api}` },
            {
              title: 'For example',
              text: 'aws xray get-trace-summaries --start-time $(($(date +%s) - 600)) --end-time $(date +%s)',
            },
          ]
        : [],
    },
    {
      id: 'containers',
      label: 'Containers',
      chosenBy: undefined,
      missing: 'No listener takes traces in this configuration.',
      snippets: daemon || otlp ? containerSnippets(environment) : [],
    },
  ];
}

/** The listeners are on this machine's loopback, so containers share its network (Linux). */
function containerSnippets(environment: StatusAnswer['environment']): readonly Snippet[] {
  const variables = Object.entries(environment).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const words = variables.map(([name, value]) => `-e ${name}=${value}`).join(' \\\n  ');
  const lines = variables.map(([name, value]) => `      ${name}: ${value}`).join('\n');
  return [
    { title: 'Docker', text: `docker run --network host \\\n  ${words} \\\n  YOUR_IMAGE` },
    {
      title: 'Docker Compose',
      text: `services:\n  app:\n    image: YOUR_IMAGE\n    network_mode: host\n    environment:\n${lines}`,
    },
    { title: 'SAM', text: 'sam local invoke --docker-network host' },
  ];
}

const hex = (bytes: number) => `$(od -An -tx1 -N${bytes} /dev/urandom | tr -d ' \\n')`;

/** The daemon's datagram: a header line, then the document. `cat` sends both at once, which bash's own printf does not. */
function segmentCommand(address: string): string {
  const udp = address.replace(/^(?:.*\b)?udp:(\S+).*$/, '$1');
  const at = udp.lastIndexOf(':');
  return [
    'now=$(date +%s)',
    `cat <<END > /dev/udp/${udp.slice(0, at).replaceAll(/[[\]]/g, '')}/${udp.slice(at + 1)}`,
    '{"format":"json","version":1}',
    `{"name":"hello","id":"${hex(8)}","trace_id":"1-$(printf %x $now)-${hex(12)}","start_time":$now,"end_time":$now.25}`,
    'END',
  ].join('\n');
}

function spanCommand(endpoint: string): string {
  const span = `{"traceId":"${hex(16)}","spanId":"${hex(8)}","name":"hello","kind":2,"startTimeUnixNano":"\${now}000000000","endTimeUnixNano":"\${now}250000000"}`;
  const resource = '{"attributes":[{"key":"service.name","value":{"stringValue":"hello"}}]}';
  const body = `{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"spans":[${span}]}]}]}`;
  return [
    'now=$(date +%s)',
    `curl ${endpoint.replace(/\/$/, '')}/v1/traces -H 'content-type: application/json' --data-binary @- <<END`,
    body,
    'END',
  ].join('\n');
}

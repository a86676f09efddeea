import { eventually } from './eventually.ts';
import { type Program, startProgram } from './program.ts';

/** A Raybridge that only takes OTLP over HTTP and sends it on, in a process of its own. */
export interface Agent {
  readonly program: Program;
  /** host:port of OTLP over HTTP. */
  readonly address: string;
  /** What its own /metrics says became of the spans for a destination, such as `traces>awsxray`. */
  account(destination: string): Promise<Account>;
  /** Waits until nothing is left in the queue for the destination. */
  drained(destination: string): Promise<void>;
  /** The answer of /readyz. */
  ready(): Promise<number>;
}

/** Spans, since the process started. */
export interface Account {
  readonly accepted: number;
  readonly delivered: number;
  readonly queued: number;
  readonly deadLettered: number;
  readonly dropped: number;
}

/** Retries come soon, so that a run is short. */
export const soon = 'retry_on_failure: {initial_interval: 50ms, max_interval: 500ms}';

export interface AgentSetup {
  /** Its data directory. */
  readonly folder: string;
  /** YAML below `exporters:`, one line each; the pipeline `traces` leads to all of them. */
  readonly exporters: Readonly<Record<string, string>>;
  /** More YAML, one block of the top level each. */
  readonly more?: string;
  /** Further pipelines, as YAML lines. */
  readonly pipelines?: readonly string[];
  /** A program and its words under which it runs, such as strace. */
  readonly under?: readonly string[];
}

export async function startAgent(setup: AgentSetup): Promise<Agent> {
  const program = launchAgent(setup);
  const [address, metrics] = await Promise.all(
    ['OTLP HTTP', 'health and metrics'].map((name) => listener(program, name)),
  );
  const series = async (): Promise<readonly Series[]> =>
    parseMetrics(await (await fetch(`http://${metrics}/metrics`)).text());
  const account = async (destination: string): Promise<Account> => {
    const all = await series();
    const sum = (name: string, exporter?: string): number =>
      all
        .filter(
          (one) => one.name === `raybridge_${name}` && (!exporter || one.labels.includes(`exporter="${exporter}"`)),
        )
        .reduce((total, { value }) => total + value, 0);
    return {
      accepted: sum('accepted_spans_total'),
      delivered: sum('delivered_spans_total', destination),
      queued: sum('queue_spans', destination),
      deadLettered: sum('dead_lettered_spans_total', destination),
      dropped: sum('dropped_spans_total', destination),
    };
  };
  return {
    program,
    address: address ?? '',
    account,
    drained: (destination) =>
      eventually(`an empty queue for ${destination}`, async () =>
        (await account(destination)).queued === 0 ? true : undefined,
      ).then(() => {}),
    ready: async () => (await fetch(`http://${metrics}/readyz`)).status,
  };
}

/** The process alone, which may end before it listens. */
export function launchAgent({ folder, exporters, more = '', pipelines = [], under = [] }: AgentSetup): Program {
  const config = `
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:0'}}}}
extensions: {health: {endpoint: '127.0.0.1:0'}}
${more}
exporters:
${Object.entries(exporters)
  .map(([id, settings]) => `  ${id}: {${settings}}\n`)
  .join('')}
service:
  extensions: [health]
  pipelines:
    traces: {receivers: [otlp], exporters: [${Object.keys(exporters)
      .filter((id) => !pipelines.some((line) => line.includes(id)))
      .join(', ')}]}
${pipelines.map((line) => `    ${line}\n`).join('')}`;
  const env = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
  return startProgram(['serve', '--config', `yaml:${config}`, '--data-dir', folder, '--log-level', 'info'], env, under);
}

async function listener(program: Program, protocol: string): Promise<string> {
  const line = await program.logged(`the listener for ${protocol}`, ({ msg, protocol: of }) => {
    return msg === 'listening' && of === protocol;
  });
  return String(line['address']);
}

interface Series {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

function parseMetrics(text: string): readonly Series[] {
  return text.split('\n').flatMap((line) => {
    const [, name = '', labels = '', value = ''] = /^(raybridge_\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return name === '' ? [] : [{ name, labels, value: Number(value) }];
  });
}

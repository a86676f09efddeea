import { basename } from 'node:path';

/**
 * The programs that Raybridge stands in for, with their command lines, exit codes and streams
 * (specification: configuration 0.6 and 6). A front runs as `raybridge NAME …`, or when the program
 * itself was started under one of its names.
 */
export interface Front {
  /** Sets the exit code itself. */
  run(args: readonly string[]): Promise<void>;
}

type Load = () => Promise<Front>;

const loads: ReadonlyMap<string, Load> = new Map<string, Load>([
  ['xray', async () => (await import('./xray.ts')).xrayFront],
  ['otelcol', async () => (await import('./otelcol.ts')).otelcolFront],
  ['fluent-bit', async () => (await import('./fluent-bit.ts')).fluentBitFront],
  ['amazon-cloudwatch-agent-ctl', async () => (await import('./cloudwatch-ctl.ts')).cloudwatchCtlFront],
  ['amazon-cloudwatch-agent', async () => (await import('./cloudwatch-agent.ts')).cloudwatchAgentFront],
  ['healthcheck', async () => (await import('./healthcheck.ts')).healthcheckFront],
]);

const otherNames: ReadonlyMap<string, string> = new Map([
  ...['awscollector', 'aws-otel-collector', 'aoc', 'otelcorecol'].map((name) => [name, 'otelcol'] as const),
  ...['xray_linux', 'xray.exe', 'xray_service.exe', 'xray_mac', 'xray_windows.exe'].map(
    (name) => [name, 'xray'] as const,
  ),
  ['td-agent-bit', 'fluent-bit'],
  ['start-amazon-cloudwatch-agent', 'amazon-cloudwatch-agent'],
  ['cwagent', 'amazon-cloudwatch-agent'],
  ['ctl', 'amazon-cloudwatch-agent-ctl'],
]);

/** The front that a command line asks for, and its own arguments; undefined when it is Raybridge's own. */
export function frontOf(
  argv: readonly string[],
): { readonly load: Load; readonly args: readonly string[] } | undefined {
  const [, program = '', first = '', ...rest] = argv;
  const started = loadOf(basename(program));
  if (started) return { load: started, args: argv.slice(2) };
  const named = loadOf(first);
  return named && { load: named, args: rest };
}

function loadOf(name: string): Load | undefined {
  const front = name.startsWith('otelcol-') ? 'otelcol' : (otherNames.get(name) ?? name);
  return loads.get(front);
}

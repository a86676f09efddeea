import type { Loaded } from '../config/index.ts';
import { type Destination, exampleEnvironment, type Listener, type Status } from '../pipeline/status.ts';
import { version } from '../version.ts';

const nodeMajor = Number(process.versions.node.split('.')[0]);
const supportedNodeMajor = 22;

/**
 * What a person sees first: version, where everything listens and sends to, what was read, where data
 * lies, and the lines to copy (specification: configuration 8.4).
 */
export function printBanner(status: Status, loaded: Loaded, dataDir: string): string {
  const environment = Object.entries(exampleEnvironment(status.listeners));
  const page = status.listeners.find(({ protocol }) => protocol === 'console');
  return [
    `Raybridge ${version}`,
    '',
    ...listenerLines(status.listeners),
    ...destinationLines(status.destinations),
    '',
    `  config   ${printSummary(summaryOf(loaded))}`,
    `  data     ${dataDir}`,
    ...(page ? [`  console  http://${page.address}`] : []),
    ...(nodeMajor < supportedNodeMajor
      ? [`  note     Node.js ${process.version} is out of support; it works, 24 is recommended`]
      : []),
    ...(environment.length > 0 ? ['', '  Point your programs here:', ''] : []),
    ...environment.map(([name, value]) => `    export ${name}=${value}`),
    '',
    '',
  ].join('\n');
}

/** What the log says at start of the configuration. */
export interface Summary {
  /** Files, variables and options that it was read from. */
  readonly sources: readonly string[];
  /** Whose form it has. */
  readonly format: string;
  readonly warnings: number;
  /** Pipelines of other signals. */
  readonly ignoredPipelines: readonly string[];
}

export function summaryOf({ sources, format, problems, config }: Loaded): Summary {
  return {
    sources: [...sources.keys()],
    format,
    warnings: problems.filter(({ severity }) => severity === 'warning').length,
    ignoredPipelines: config?.ignoredPipelines.map(({ id }) => id) ?? [],
  };
}

function printSummary({ sources, format, warnings, ignoredPipelines }: Summary): string {
  return [
    `${sources.join(', ')} (${format})`,
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`] : []),
    ...(ignoredPipelines.length > 0 ? [`pipelines ignored: ${ignoredPipelines.join(', ')}`] : []),
  ].join('; ');
}

function destinationLines(destinations: readonly Destination[]): readonly string[] {
  const width = Math.max(0, ...destinations.map(({ component }) => component.length));
  return destinations.map(({ component, text }) => `  → ${component.padEnd(width)}  ${text}`);
}

/** One line per socket; components that share one share the line. */
function listenerLines(listeners: readonly Listener[]): readonly string[] {
  const protocols = new Map<string, string[]>();
  for (const { transport, address, protocol } of listeners) {
    const socket = `${transport} ${address}`;
    protocols.set(socket, [...(protocols.get(socket) ?? []), protocol]);
  }
  const width = Math.max(0, ...[...protocols.keys()].map((socket) => socket.length));
  return [...protocols].map(([socket, names]) => `  ✓ ${socket.padEnd(width)}  ${names.join(', ')}`);
}

import { exampleEnvironment, type Listener, type Status } from '../pipeline/status.ts';
import { version } from '../version.ts';

const nodeMajor = Number(process.versions.node.split('.')[0]);
const supportedNodeMajor = 22;

/** What a person sees first: version, where everything listens, where data lies, and the lines to copy. */
export function printBanner(status: Status, dataDir: string): string {
  const environment = Object.entries(exampleEnvironment(status.listeners));
  const page = status.listeners.find(({ protocol }) => protocol === 'console');
  return [
    `Raybridge ${version}`,
    '',
    ...listenerLines(status.listeners),
    '',
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

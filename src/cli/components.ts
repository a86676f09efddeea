import { Command } from 'commander';
import { version } from '../version.ts';

export function componentsCommand(): Command {
  return new Command('components')
    .description('list receivers, processors, exporters, connectors and extensions, as YAML')
    .action(async () => void process.stdout.write(await printComponents()));
}

const sections = [
  ['receivers', 'receiver'],
  ['processors', 'processor'],
  ['exporters', 'exporter'],
  ['connectors', 'connector'],
  ['extensions', 'extension'],
] as const;

/** As `otelcol components` prints them. */
export async function printComponents(): Promise<string> {
  const { components } = await import('../components.ts');
  const lines = ['buildinfo:', '    command: raybridge', '    description: Raybridge', `    version: ${version}`];
  for (const [section, kind] of sections) {
    lines.push(`${section}:`);
    const types = new Set([...(components.get(kind)?.values() ?? [])].map(({ type }) => type));
    for (const type of [...types].sort()) {
      lines.push(
        `    - name: ${type}`,
        `      module: raybridge ${version}`,
        '      stability:',
        '        traces: Stable',
      );
    }
  }
  lines.push('providers:', ...['env', 'file', 'yaml'].map((scheme) => `    - scheme: ${scheme}`), 'converters: []');
  return `${lines.join('\n')}\n`;
}

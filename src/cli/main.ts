#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { componentsCommand } from './components.ts';
import { convertCommand } from './convert.ts';
import { demoCommand } from './demo.ts';
import { dlqCommand } from './dlq.ts';
import { frontOf } from './fronts/index.ts';
import { printConfigCommand } from './print-config.ts';
import { serveCommand } from './serve.ts';
import { validateCommand } from './validate.ts';

/** Exit codes: 0 ok, 1 refused or failed start, 2 wrong command line, 74 storage cannot be written safely. */
const wrongCommandLine = 2;

const fronts = `
In place of other programs, with their command lines, also when started under their names:
  raybridge xray …                         the X-Ray daemon
  raybridge otelcol …                      the OpenTelemetry Collector, ADOT
  raybridge fluent-bit …                   Fluent Bit
  raybridge amazon-cloudwatch-agent-ctl …  the CloudWatch agent`;

const program = new Command('raybridge')
  .description('AWS X-Ray and OpenTelemetry in both directions: agent, self-hosted X-Ray with a console.')
  .version(version, '-v, --version')
  .exitOverride();
program.addCommand(serveCommand(), { isDefault: true });
for (const command of [
  validateCommand(),
  printConfigCommand(),
  componentsCommand(),
  convertCommand(),
  dlqCommand(),
  demoCommand(),
]) {
  program.addCommand(command);
}
program.addHelpText('after', fronts);
inheritSettings(program);

const front = frontOf(process.argv);
if (front) await (await front.load()).run(front.args);
else await runOwn();

async function runOwn(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : wrongCommandLine;
  }
}

function inheritSettings(parent: Command): void {
  for (const command of parent.commands) inheritSettings(command.copyInheritedSettings(parent));
}

/**
 * The process of the embedded engine; entry file of the child that engine.ts starts, never imported.
 *
 *     node engine-child.js LIBRARY ENGINE-ARGUMENT…
 *
 * `chdb_query_cmdline` of libchdb is the whole of `clickhouse local`, which can listen since version
 * 26.7. The call runs until the engine ends, in a thread of its own, because this thread must notice
 * when the parent is gone: then standard input ends. There is one way out, SIGKILL. It is safe, as
 * what the engine has acknowledged is on disk, and it cannot hang on the engine's threads.
 */
import process from 'node:process';
import { DataType, load, open } from 'ffi-rs';

const [libraryPath = '', ...engineArguments] = process.argv.slice(2);
const commandLine = ['clickhouse-local', ...engineArguments];

process.umask(0o077);
process.stdin.on('end', die).on('error', die).resume();
process.on('SIGTERM', die);
// Ctrl-C reaches the whole process group; the parent still delivers what it has accepted, and then ends us.
process.on('SIGINT', () => undefined);

open({ library: 'chdb', path: libraryPath });
load({
  library: 'chdb',
  funcName: 'chdb_query_cmdline',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [commandLine.length, commandLine],
  runInNewThread: true,
}).then(die, die);

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

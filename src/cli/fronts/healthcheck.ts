import type { Front } from './index.ts';
import { parseGoFlags } from './flags.ts';

const timeoutMs = 4_000;

/** `healthcheck`: what the health check of ADOT's image runs. Exit code 0 on an answer of 200. */
export const healthcheckFront: Front = {
  async run(args) {
    const { values } = parseGoFlags(args, [{ names: ['port'], kind: 'text' }]);
    const port = values.get('port')?.at(-1) ?? '13133';
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(timeoutMs) });
      if (answer.status === 200) return;
      process.stderr.write(`STATUS: ${answer.status}\n`);
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
    process.exitCode = 1;
  },
};

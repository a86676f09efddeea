import { RaybridgeError } from '../../errors.ts';
import type { HttpMount } from '../../net/http.ts';
import { answerOtlp } from '../../net/otlp-http.ts';
import type { TraceTaker } from '../../net/trace-taker.ts';
import type { Authenticator } from '../../pipeline/component.ts';
import { answerCors } from './cors.ts';
import type { HttpConfig } from './config.ts';

/** Refuses a request by its headers. @throws RaybridgeError CREDENTIALS_MISSING, CREDENTIALS_UNKNOWN. */
export type Doorkeeper = NonNullable<Authenticator['verify']>;

/** OTLP/HTTP, a path for each signal. */
export function createHttpMount({
  component,
  config,
  taker,
  ignored,
  admit,
}: {
  readonly component: string;
  readonly config: HttpConfig;
  readonly taker: TraceTaker;
  /** Signals that belong to ignored pipelines; the others have no path here. */
  readonly ignored: ReadonlySet<string>;
  /** Undefined lets everybody send. */
  readonly admit: Doorkeeper | undefined;
}): HttpMount {
  const paths = new Map([
    [config.profiles_url_path, 'profiles'],
    [config.logs_url_path, 'logs'],
    [config.metrics_url_path, 'metrics'],
    [config.traces_url_path, 'traces'],
  ]);
  return {
    component,
    protocol: 'OTLP HTTP',
    endpoint: config.endpoint,
    access: 'open',
    tls: config.tls,
    matches: ({ path }) => paths.has(path),
    async handle(request, response) {
      for (const [name, value] of Object.entries(config.response_headers)) response.setHeader(name, value);
      if (config.cors && answerCors(request.message, response, config.cors)) return;
      const signal = paths.get(request.path) ?? 'traces';
      await answerOtlp(request, response, {
        bytesMax: config.max_request_body_size,
        successStatus: config.success_status,
        async admit({ headers }) {
          await admit?.(headers);
          if (signal !== 'traces' && !ignored.has(signal)) throw notConfigured(signal);
          return undefined;
        },
        async take(traces) {
          if (signal === 'traces') return await taker.take(traces);
          taker.ignore(signal);
          return allTaken;
        },
        fail: taker.fail,
      });
    },
  };
}

/** The empty response message; it is the same bytes for every signal. */
const allTaken = { rejected: 0, message: '' };

function notConfigured(signal: string): RaybridgeError {
  return new RaybridgeError('NOT_FOUND', `no pipeline takes ${signal} here; Raybridge handles traces only`);
}

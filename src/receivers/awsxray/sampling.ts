import { samplingBodyBytesMax } from '../../aws/sampling-proxy.ts';
import { RaybridgeError } from '../../errors.ts';
import type { JsonObject } from '../../model/index.ts';
import { readAwsRequest, sendAwsAnswer, sendAwsError } from '../../net/aws-json.ts';
import type { HttpMount, HttpRequest } from '../../net/http.ts';
import { guardOrigin } from '../../net/origin.ts';
import { answerGetSamplingRules, answerGetSamplingTargets } from '../../net/sampling-calls.ts';
import type { Context } from '../../pipeline/component.ts';
import type { SamplingService } from '../../pipeline/sampling.ts';

/**
 * The daemon's TCP port, where SDKs ask for sampling rules. The daemon signs and forwards whatever
 * comes; here exactly the two sampling calls are answered, to programs and not to web pages.
 */
export function createSamplingMount({
  context,
  endpoint,
}: {
  readonly context: Context;
  readonly endpoint: string;
}): HttpMount {
  return {
    component: context.id,
    protocol: 'X-Ray sampling',
    endpoint,
    access: 'open',
    matches: ({ path }) => calls.has(path),
    async handle(request, response) {
      try {
        sendAwsAnswer(response, await answer(request, context.sampling));
      } catch (error) {
        if (!(error instanceof RaybridgeError))
          context.log.error({ err: error }, 'a sampling call failed because of a bug');
        sendAwsError(response, error, { access: 'read' });
      }
    },
  };
}

type Call = (sampling: SamplingService, request: JsonObject) => Promise<object>;

const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  // An SDK that is told of trouble here asks again after five minutes, so it never is.
  ['/GetSamplingRules', async (sampling) => answerGetSamplingRules(await sampling.rulesInForce())],
  ['/SamplingTargets', answerGetSamplingTargets],
]);

async function answer(request: HttpRequest, sampling: SamplingService): Promise<object> {
  const { method, path, message } = request;
  guardOrigin(message);
  if (method !== 'POST') throw new RaybridgeError('METHOD_NOT_ALLOWED', `method: expected POST, got ${method}`);
  const call = calls.get(path);
  if (!call) throw new RaybridgeError('UNKNOWN_OPERATION', 'only sampling calls are answered on this port');
  return await call(sampling, await readAwsRequest(message, { bytesMax: samplingBodyBytesMax }));
}

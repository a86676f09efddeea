/**
 * A program with the X-Ray SDK for Node and its centralised sampling, told where to ask by
 * AWS_XRAY_DAEMON_ADDRESS alone. Its parent process says when it polls and how many requests it
 * decides on, and is told of the decisions.
 */
import xray from 'aws-xray-sdk-core';
import { callsAnswered, holdIntervals } from '../support/held-intervals.ts';

export type Order =
  | { readonly order: 'poll rules' | 'poll targets' }
  | { readonly order: 'decide'; readonly count: number; readonly request: SampleRequest };

export interface SampleRequest {
  readonly serviceName?: string;
  readonly serviceType?: string;
  readonly host?: string;
  readonly httpMethod?: string;
  readonly urlPath?: string;
}

export interface Decisions {
  /** By the rule that decided; `true` stands for the SDK's own rules. */
  readonly sampled: Readonly<Record<string, number>>;
  readonly dropped: number;
  /** Different seconds of the clock while they were made; one request may be borrowed in each. */
  readonly seconds: number;
}

/** What the middleware of the SDK uses; its typings leave it out. */
interface Sampler {
  start(): void;
  readonly rulePoller: { start(): void };
  shouldSample(request: SampleRequest): string | boolean | undefined;
}

const intervals = holdIntervals();
const { sampler } = xray.middleware as unknown as { sampler: Sampler };
sampler.start();

process.on('message', async (order: Order) => {
  if (order.order === 'decide') {
    process.send?.(decide(order.request, order.count));
    return;
  }
  // The rules' poller adds some ms of chance to its interval, but none when it is started.
  if (order.order === 'poll rules') sampler.rulePoller.start();
  else intervals.run({ from: 10_000, to: 20_000 });
  await callsAnswered();
  process.send?.({});
});

function decide(request: SampleRequest, count: number): Decisions {
  const sampled: Record<string, number> = {};
  let dropped = 0;
  const first = Math.floor(Date.now() / 1000);
  for (let i = 0; i < count; i++) {
    const decision = sampler.shouldSample({ ...request });
    if (decision) sampled[String(decision)] = (sampled[String(decision)] ?? 0) + 1;
    else dropped++;
  }
  return { sampled, dropped, seconds: Math.floor(Date.now() / 1000) - first + 1 };
}

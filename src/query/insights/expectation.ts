/**
 * How surprising a number of faults is. A node's past tells what share of its requests ends in a
 * fault, the more exactly the more requests it had: that knowledge is a beta distribution. The
 * number of faults among new requests then follows the beta-binomial distribution, and its upper
 * tail is the chance that so many faults come about although nothing has changed.
 */

/** Requests and faults of the past, recent ones with more weight. */
export interface Past {
  readonly requests: number;
  readonly faults: number;
}

/** Of a node without a past one request in 20 may fault, give or take much: it takes about half of them to surprise. */
const priorFaults = 1;
const priorRequests = 20;
/**
 * No past counts as more requests than this, because real fault rates wobble more than chance alone
 * would have them: a busy node that never faulted surprises with one percent of faults, not before.
 */
const pastRequestsMax = 1000;
/** More requests are scaled down to this number, which bounds the sum below and changes the chance little. */
const observedRequestsMax = 10_000;

/** The share of faults to expect, above 0 and below 1. */
export function expectedRate(past: Past): number {
  const { faults, others } = knowledgeOf(past);
  return faults / (faults + others);
}

/** The chance of at least so many faults, 0 to 1. It is 1 when there are no more than expected. */
export function chanceOf(observed: { readonly requests: number; readonly faults: number }, past: Past): number {
  const scale = Math.min(1, observedRequestsMax / observed.requests);
  const requests = Math.round(observed.requests * scale);
  const faults = Math.round(observed.faults * scale);
  if (faults <= requests * expectedRate(past)) return 1;

  const known = knowledgeOf(past);
  let chance = 0;
  let term = Math.exp(
    logChoose(requests, faults) +
      logBeta(known.faults + faults, known.others + requests - faults) -
      logBeta(known.faults, known.others),
  );
  for (let count = faults; count <= requests && term > chance * negligible; count += 1) {
    chance += term;
    term *= ((requests - count) * (known.faults + count)) / ((count + 1) * (known.others + requests - count - 1));
  }
  return Math.min(1, chance);
}

const negligible = 1e-9;

/** The parameters of the beta distribution. */
function knowledgeOf(past: Past): { readonly faults: number; readonly others: number } {
  const weight = Math.min(1, pastRequestsMax / past.requests);
  return {
    faults: priorFaults + past.faults * weight,
    others: priorRequests - priorFaults + (past.requests - past.faults) * weight,
  };
}

function logChoose(all: number, some: number): number {
  return logGamma(all + 1) - logGamma(some + 1) - logGamma(all - some + 1);
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** Stirling's series, exact to ten digits from 10 on; below it, the recurrence leads there. `value` is above 0. */
function logGamma(value: number): number {
  let shifted = value;
  let product = 1;
  for (; shifted < 10; shifted += 1) product *= shifted;
  const inverse = 1 / shifted;
  const series = inverse * (1 / 12 - inverse ** 2 * (1 / 360 - inverse ** 2 / 1260));
  return (shifted - 0.5) * Math.log(shifted) - shifted + Math.log(2 * Math.PI) / 2 + series - Math.log(product);
}

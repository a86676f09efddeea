/** The AWS CLI calls that give what a page shows, ready for a POSIX shell. */

interface Endpoint {
  /** Undefined when this process serves no X-Ray API; the call then goes to AWS. */
  readonly endpoint: string | undefined;
}

export function traceSummariesCommand(
  request: Endpoint & { readonly filter: string; readonly from: number; readonly to: number },
): string {
  return [
    'aws xray get-trace-summaries',
    ...endpointWords(request),
    `--start-time ${Math.floor(request.from)}`,
    `--end-time ${Math.ceil(request.to)}`,
    ...(request.filter ? [`--filter-expression ${quoteWord(request.filter)}`] : []),
  ].join(' ');
}

export function batchGetTracesCommand(request: Endpoint & { readonly traceId: string }): string {
  return ['aws xray batch-get-traces', ...endpointWords(request), `--trace-ids ${quoteWord(request.traceId)}`].join(
    ' ',
  );
}

function endpointWords({ endpoint }: Endpoint): readonly string[] {
  return endpoint ? [`--endpoint-url ${quoteWord(endpoint)}`] : [];
}

function quoteWord(word: string): string {
  return /^[\w:/.=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

import { call, addressOf, serve } from './http.ts';

const deliveryDelayMs = 40;

/**
 * A message queue: takes a message with the trace header of its sender, and hands it to the worker
 * a moment later with the header as attribute, as SQS does.
 */
await serve(0, async ({ headers, body }) => {
  if (process.env['SHOP_BREAK'] === 'queue') return { status: 503, body: { message: 'the queue is out of order' } };
  const sentAtMs = Date.now();
  setTimeout(() => {
    const message = { ...body, sentAtMs, AWSTraceHeader: headers['x-amzn-trace-id'] };
    call(`${addressOf('worker')}/message`, { body: message }).catch((error: unknown) =>
      console.error(`queue: ${String(error)}`),
    );
  }, deliveryDelayMs);
  return { status: 200, body: { messageId: String(sentAtMs) } };
});

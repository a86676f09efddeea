import xray from 'aws-xray-sdk-core';
import { addressOf, type Answer, call, type Call, failureOf, serve } from './http.ts';

/** A function still on the X-Ray SDK: asks a DynamoDB table for the price. Its segments go over UDP. */

await serve(0, async (received) => {
  const segment = openSegment(received);
  const answer = await findPrice(segment, received);
  segment.addAnnotation('price_status', answer.status);
  if (answer.status >= 500) segment.addFaultFlag();
  else if (answer.status >= 400) segment.addErrorFlag();
  Object.assign(segment, {
    http: {
      request: { method: received.method, url: `http://price.shop.example${received.path}`, client_ip: '10.0.3.4' },
      response: { status: answer.status },
    },
  });
  segment.close();
  return answer;
});

function openSegment({ headers }: Call): xray.Segment {
  const { root, parent } = xray.utils.processTraceData(String(headers['x-amzn-trace-id'] ?? ''));
  const segment = new xray.Segment('price', root, parent);
  segment.origin = 'AWS::ECS::Container';
  return segment;
}

async function findPrice(segment: xray.Segment, received: Call): Promise<Answer> {
  if (process.env['SHOP_BREAK'] === 'price') return { status: 500, body: { message: 'price is out of order' } };
  const lookup = segment.addNewSubsegment('DynamoDB');
  lookup.namespace = 'aws';
  lookup.addAttribute('aws', {
    operation: 'GetItem',
    table_name: 'prices',
    region: 'eu-west-1',
    request_id: lookup.id.toUpperCase(),
  });
  const answer = await call(`${addressOf('backends')}/table`, { body: received.body });
  lookup.addAttribute('http', { response: { status: answer.status } });
  if (answer.status < 400) {
    lookup.close();
    return { status: 200, body: { price: 42 } };
  }
  lookup.addMetadata('answer', answer.body);
  lookup.addError(failureOf(answer), true);
  if (answer.status === 400) {
    lookup.addErrorFlag();
    lookup.addThrottleFlag();
    // addError takes every error for a fault of the callee; a throttle is none.
    Object.assign(lookup, { fault: undefined });
  }
  lookup.close();
  // A price from the cache is better than none: the caller sees no error.
  return { status: 200, body: { price: 41, cached: true } };
}

import { type Attributes, context, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { AWSXRayPropagator } from '@opentelemetry/propagator-aws-xray';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { type Answer, call, type Call, failureOf } from './http.ts';

/** The OpenTelemetry JS SDK as a service of the shop uses it: OTLP over HTTP, X-Ray's header between services. */

export function startTracing(service: string, resource: Attributes): void {
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      'service.name': service,
      'service.version': '1.4.2',
      'cloud.provider': 'aws',
      ...resource,
    }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 200 })],
  });
  provider.register({ propagator: new AWSXRayPropagator() });
  process.on('SIGTERM', () => void provider.shutdown().finally(() => process.exit(0)));
}

interface Work {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
}

/** Runs work inside a span. What is thrown is recorded on it and thrown on. */
export async function traced<Result>(work: Work, run: (span: Span) => Promise<Result>): Promise<Result> {
  return await trace
    .getTracer('shop', '1.4.2')
    .startActiveSpan(work.name, { kind: work.kind, attributes: work.attributes ?? {} }, async (span) => {
      try {
        return await run(span);
      } catch (error) {
        if (error instanceof Error) span.recordException(error);
        span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
        throw error;
      } finally {
        span.end();
      }
    });
}

/** A server span around the handling of a call, continuing the caller's trace. */
export async function handled(received: Call, route: string, run: (span: Span) => Promise<Answer>): Promise<Answer> {
  const work = {
    name: `${received.method} ${route}`,
    kind: SpanKind.SERVER,
    attributes: {
      'http.request.method': received.method,
      'http.route': route,
      'url.scheme': 'http',
      'url.path': received.path,
      'server.address': 'shop.example',
      'client.address': '198.51.100.7',
      'user_agent.original': String(received.headers['user-agent'] ?? ''),
    },
  };
  return await context.with(propagation.extract(context.active(), received.headers), () =>
    traced(work, async (span) => {
      const answer = await run(span);
      span.setAttribute('http.response.status_code', answer.status);
      if (answer.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      return answer;
    }),
  );
}

/** A client call inside a client span that carries the trace on; 4xx and 5xx become an exception. */
export async function called(
  work: Omit<Work, 'kind'> & { readonly kind?: SpanKind },
  url: string,
  body: object,
): Promise<Answer> {
  return await traced({ kind: SpanKind.CLIENT, ...work }, async (span) => {
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    const answer = await call(url, { body, headers });
    // The shop's databases are spoken to over HTTP only because it is a play.
    if (work.attributes?.['db.system.name'] === undefined) {
      span.setAttribute('http.response.status_code', answer.status);
    }
    if (answer.status >= 400) throw failureOf(answer);
    return answer;
  });
}

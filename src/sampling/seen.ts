import type { SeenRequest } from './preview.ts';
import type { SamplingRequest } from './rules.ts';

/** What of a trace summary (API reference, TraceSummary) tells of the request that began the trace. */
export interface SeenSummary {
  readonly StartTime: number;
  readonly HasFault: boolean;
  readonly HasError: boolean;
  readonly HasThrottle: boolean;
  readonly EntryPoint?: { readonly Name: string; readonly Type?: string };
  readonly Http: { readonly HttpURL?: string; readonly HttpMethod?: string };
  readonly Annotations: Readonly<
    Record<
      string,
      readonly {
        readonly AnnotationValue: object;
        readonly ServiceIds: readonly { readonly Name: string }[];
      }[]
    >
  >;
}

/**
 * What a sampler knew of the root of a trace when it decided, as far as its summary tells: the
 * annotations of the service that was entered stand for the attributes, and its ARN is not known.
 */
export function toSeenRequest(summary: SeenSummary): SeenRequest {
  const { EntryPoint, Http } = summary;
  return {
    startSeconds: summary.StartTime,
    outcome: summary.HasFault ? 'fault' : summary.HasError || summary.HasThrottle ? 'error' : 'ok',
    request: {
      serviceName: EntryPoint?.Name,
      serviceType: EntryPoint?.Type,
      ...urlParts(Http.HttpURL),
      httpMethod: Http.HttpMethod,
      resourceArn: undefined,
      attributes: attributesOf(summary),
    },
  };
}

function urlParts(url: string | undefined): Pick<SamplingRequest, 'host' | 'urlPath'> {
  if (url === undefined) return { host: undefined, urlPath: undefined };
  const parts = /^[a-z][\w+.-]*:\/\/([^/?#]*)([^?#]*)/i.exec(url);
  if (parts) return { host: parts[1] || undefined, urlPath: parts[2] || '/' };
  return { host: undefined, urlPath: url.replace(/[?#].*$/s, '') || '/' };
}

function attributesOf({ EntryPoint, Annotations }: SeenSummary): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(Annotations).flatMap(([key, values]): [string, string][] => {
      const own = values.find(({ ServiceIds }) => ServiceIds.some(({ Name }) => Name === EntryPoint?.Name));
      return own ? [[key, String(Object.values(own.AnnotationValue)[0])]] : [];
    }),
  );
}

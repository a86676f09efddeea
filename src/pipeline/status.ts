import type { Logger } from './component.ts';

/** What the start-up banner, `/healthz`, `/readyz` and the console tell about listeners, destinations and faults. */
export interface Status {
  /** A listener of a component is open. */
  listening(listener: Listener): void;
  /** Where an exporter sends to, and as whom. */
  sending(destination: Destination): void;
  /** The last things that were rejected, newest first, for the pages that explain an empty list. */
  reject(rejection: Rejection): void;
  /** A component cannot do its work (reason), or can again (undefined). Drives `/readyz`. */
  fault(component: string, reason: string | undefined): void;
  readonly listeners: readonly Listener[];
  readonly destinations: readonly Destination[];
  readonly rejections: readonly Rejection[];
  readonly faults: ReadonlyMap<string, string>;
}

export interface Listener {
  /** Component id: `otlp`. */
  readonly component: string;
  /** What speaks there: `OTLP gRPC`, `X-Ray segments`. */
  readonly protocol: string;
  readonly transport: 'udp' | 'tcp';
  /** host:port as bound. */
  readonly address: string;
}

export interface Destination {
  /** Component id: `awsxray`. */
  readonly component: string;
  /** `sends to https://xray.eu-west-1.amazonaws.com, region eu-west-1 (from AWS_REGION), 8 workers` */
  readonly text: string;
}

/** Tells banner and log where an exporter sends to. */
export function reportSending(
  { id: component, status, log }: { readonly id: string; readonly status: Status; readonly log: Logger },
  text: string,
): void {
  status.sending({ component, text });
  log.info({ component }, text);
}

export interface Rejection {
  readonly component: string;
  readonly atNs: bigint;
  /** Our sentence, never the sender's text alone. */
  readonly reason: string;
  /** The first bytes of what was rejected, as printable text, at most 200 characters. */
  readonly sample: string;
}

const rejectionsMax = 50;
const sampleCharactersMax = 200;

/** `process` tells of faults that outlive a configuration, such as the queue's; they are seen here too. */
export function createStatus(process?: Status): Status {
  const listeners: Listener[] = [];
  const destinations: Destination[] = [];
  const rejections: Rejection[] = [];
  const faults = new Map<string, string>();

  return {
    listening: (listener) => void listeners.push(listener),
    sending: (destination) => void destinations.push(destination),
    reject(rejection) {
      rejections.unshift({ ...rejection, sample: printable(rejection.sample) });
      rejections.length = Math.min(rejections.length, rejectionsMax);
    },
    fault(component, reason) {
      if (reason === undefined) faults.delete(component);
      else faults.set(component, reason);
    },
    listeners,
    destinations,
    rejections,
    get faults() {
      return process ? new Map([...process.faults, ...faults]) : faults;
    },
  };
}

function printable(text: string): string {
  return text.slice(0, sampleCharactersMax).replaceAll(/[\p{Cc}\p{Cs}]/gu, '·');
}

/**
 * The three environment variables that point clients here, from the listeners that are open. A
 * listener on all addresses is reached under 127.0.0.1.
 */
export function exampleEnvironment(listeners: readonly Listener[]): Readonly<Record<string, string>> {
  const address = (component: string, protocol: string): string | undefined =>
    listeners
      .find((listener) => listener.component.split('/')[0] === component && listener.protocol === protocol)
      ?.address.replace(/^(0\.0\.0\.0|\[::\]):/, '127.0.0.1:');
  const udp = address('awsxray', 'X-Ray segments');
  const tcp = address('awsxray', 'X-Ray sampling');
  const otlp = address('otlp', 'OTLP HTTP');
  const api = address('xray_api', 'X-Ray API');
  return {
    ...(udp ? { AWS_XRAY_DAEMON_ADDRESS: tcp && tcp !== udp ? `tcp:${tcp} udp:${udp}` : udp } : {}),
    ...(otlp ? { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${otlp}` } : {}),
    ...(api ? { AWS_ENDPOINT_URL_XRAY: `http://${api}` } : {}),
  };
}

import type { IncomingAnswer } from '../net/http-client.ts';

/** Signed calls of one AWS service in one region, for one configured identity. */
export interface AwsClient {
  /**
   * Signs a POST and sends it. The answer is given as it came, whatever its status.
   * @throws RaybridgeError DESTINATION_UNAVAILABLE: no answer, or no credentials at the moment.
   */
  call(request: AwsCall): Promise<IncomingAnswer>;
  /** The region, and where it was found, for the line at start. @throws RaybridgeError CONFIG_INVALID: there is none. */
  region(): Promise<{ readonly region: string; readonly from: string }>;
  /** Base URL of the calls. */
  endpoint(): Promise<URL>;
  /** What the service said about its clock (`Date` of an answer); later signatures count from it. */
  correctClock(serverTimeMs: number): void;
  /** Credentials are fetched anew at the next call. */
  forgetCredentials(): void;
  close(): Promise<void>;
}

export interface AwsCall {
  /** `/TraceSegments` */
  readonly path: string;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** As the awsxray exporter, the proxy of the awsxray receiver and awsproxy spell it (specification: configuration 1.10, 1.12). */
export interface AwsClientOptions {
  /** Signing name: `xray`. */
  readonly service: string;
  readonly region?: string;
  /** Base URL instead of `https://xray.REGION.amazonaws.com`. */
  readonly endpoint?: string;
  readonly roleArn?: string;
  readonly externalId?: string;
  readonly profile?: string;
  readonly sharedCredentialsFile?: string;
  /** Never asks the instance for its region or credentials. */
  readonly localMode?: boolean;
  readonly imdsRetries?: number;
  readonly proxyAddress?: string;
  readonly verifyTls?: boolean;
  readonly caFile?: string;
  readonly connectionsMax?: number;
}

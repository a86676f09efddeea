import { openUdp, type UdpReceiver } from '../../net/udp.ts';
import type { Component, Context, Intake, ReceiverFactory } from '../../pipeline/component.ts';
import { createSamplingProxy, type SamplingProxy } from '../../aws/sampling-proxy.ts';
import { configSchema, namesUpstream, type AwsxrayConfig } from './config.ts';
import { createDatagramReader } from './datagram.ts';
import { createGatherer } from './gather.ts';
import { createSamplingMount } from './sampling.ts';
import { createSourceGuard } from './sources.ts';

/** Stands where the X-Ray daemon stood: segments by UDP, sampling calls by TCP. */
export const awsxrayReceiver: ReceiverFactory = {
  kind: 'receiver',
  type: 'awsxray',
  configSchema,
  create({ config, context, intake }) {
    // The register has checked `config` with the schema above.
    return createAwsxrayReceiver({ config: config as AwsxrayConfig, context, intake });
  },
};

export function createAwsxrayReceiver({
  config,
  context,
  intake,
}: {
  readonly config: AwsxrayConfig;
  readonly context: Context;
  readonly intake: Intake;
}): Component {
  const gatherer = createGatherer({ context, intake });
  let udp: UdpReceiver | undefined;
  let proxy: SamplingProxy | undefined;

  return {
    async start() {
      const { id: component, status, log, http, telemetry, sampling } = context;
      if (sampling.isLocal && !namesUpstream(config)) {
        http.mount(createSamplingMount({ context, endpoint: config.proxy_server.endpoint }));
      } else {
        proxy = createSamplingProxy(component, config.proxy_server);
        http.mount(proxy.mount);
      }
      const { allowed_sources: allowed, source_rate_limit: datagramsPerSecondMax } = config;
      const guard = createSourceGuard({ allowed, datagramsPerSecondMax }, () => performance.now());
      const onDatagram = createDatagramReader({ context, gatherer, guard });
      udp = await openUdp({
        component,
        protocol: 'X-Ray segments',
        endpoint: config.endpoint,
        onDatagram,
        status,
        log,
      });
      telemetry.gauge('raybridge_udp_kernel_drops', { receiver: component }, udp.drops);
    },
    async shutdown() {
      const opened = udp;
      udp = undefined;
      await opened?.close();
      await gatherer.flush();
      await proxy?.close();
    },
  };
}

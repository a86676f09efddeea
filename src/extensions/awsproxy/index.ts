import { createSamplingProxy, type ProxyServerConfig, type SamplingProxy } from '../../aws/sampling-proxy.ts';
import { proxyServer } from '../../config/schema.ts';
import type { ExtensionFactory } from '../../pipeline/component.ts';

/** Forwards sampling calls to AWS, as the awsxray receiver does, where no receiver is wanted. */
export const awsproxy: ExtensionFactory = {
  kind: 'extension',
  type: 'awsproxy',
  configSchema: proxyServer.prefault({}),
  create({ config, context }) {
    let proxy: SamplingProxy | undefined;
    return {
      async start() {
        // The register has checked `config` with the schema above.
        proxy = createSamplingProxy(context.id, config as ProxyServerConfig);
        context.http.mount(proxy.mount);
      },
      async shutdown() {
        await proxy?.close();
      },
    };
  },
};

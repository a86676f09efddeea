/** The programs whose configuration is understood, as `--format` names them. */
export const formats = ['otelcol', 'fluent-bit', 'cloudwatch-agent', 'xray', 'xrayconnector'] as const;
export type Format = (typeof formats)[number];

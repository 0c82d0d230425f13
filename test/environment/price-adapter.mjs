// An external adapter as operators of nodes write them, on the framework that they use; asked for prices at PROVIDER_URL.
import { expose } from '@chainlink/external-adapter-framework';
import { Adapter, AdapterEndpoint } from '@chainlink/external-adapter-framework/adapter/index.js';
import { AdapterConfig } from '@chainlink/external-adapter-framework/config/index.js';
import { HttpTransport } from '@chainlink/external-adapter-framework/transports/index.js';
import { InputParameters } from '@chainlink/external-adapter-framework/validation/index.js';

const inputParameters = new InputParameters(
  {
    base: { aliases: ['from', 'coin'], required: true, type: 'string', description: 'What is priced' },
    quote: { aliases: ['to', 'market'], required: true, type: 'string', description: 'In what' },
  },
  [{ base: 'ETH', quote: 'USD' }],
);

const config = new AdapterConfig({
  PROVIDER_URL: { description: 'Where prices are asked for', type: 'string', required: true },
});

const transport = new HttpTransport({
  prepareRequests: (params, settings) =>
    params.map((param) => ({
      params: [param],
      request: { baseURL: settings.PROVIDER_URL, params: { pair: `${param.base}/${param.quote}` } },
    })),
  parseResponse: (params, response) =>
    params.map((param) =>
      typeof response.data.price === 'number'
        ? { params: param, response: { result: response.data.price, data: { result: response.data.price } } }
        : { params: param, response: { errorMessage: 'The provider has no such pair', statusCode: 502 } },
    ),
});

const adapter = new Adapter({
  name: 'TEST',
  defaultEndpoint: 'price',
  config,
  endpoints: [new AdapterEndpoint({ name: 'price', aliases: ['crypto'], transport, inputParameters })],
});

await expose(adapter);
process.stdout.write('listening\n');

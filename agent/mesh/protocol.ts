/**
 * The wire protocol between agents and control plane, as istiod speaks it: the certificate service, the
 * aggregated discovery service (ADS), and the NameTable that it carries (which
 * `names/name_table_message.ts` reads). Only the fields that are used are described; protobuf readers pass
 * over the others. Shared by the client here and by the embedded control plane.
 *
 * Sources: istio.io/api security/v1alpha1/ca.proto, envoy service/discovery/v3/discovery.proto,
 * istio pkg/dns/proto/nds.proto.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { MethodDefinition } from "@grpc/grpc-js";
import protobuf from "protobufjs";
import type { HostEntry } from "../names/host_entry.ts";

/** The type URL under which ADS carries the NameTable. */
export const NAME_TABLE_TYPE_URL = "type.googleapis.com/istio.networking.nds.v1.NameTable";

/** A request to sign a certificate. */
export interface CertificateRequest {
  /** PKCS#10 request, PEM. */
  csr: string;
  /** How long the certificate shall live, in seconds. */
  validityDuration: number;
}

/** What the certificate service answers. */
export interface CertificateResponse {
  /** PEM certificates: the leaf first, the root last. */
  certChain: string[];
}

/** A protobuf Any. */
export interface AnyMessage {
  /** Which message `value` holds. */
  typeUrl: string;
  /** Its encoding. */
  value: Uint8Array;
}

/** What the agent sends on the ADS stream: a subscription, an ACK, or a NACK. */
export interface DiscoveryRequest {
  /** Version last accepted; empty before the first. */
  versionInfo?: string;
  /** Who asks; must be in the first request of a stream. */
  node?: DiscoveryNode;
  /** Always {@link NAME_TABLE_TYPE_URL} here. */
  typeUrl: string;
  /** Nonce of the response that this one accepts or refuses. */
  responseNonce?: string;
  /** Makes the request a NACK. */
  errorDetail?: { code: number; message: string };
}

/** The identity that an ADS client gives itself. */
export interface DiscoveryNode {
  /** `sidecar~IP~NAME.NAMESPACE~NAMESPACE.svc.DOMAIN`. */
  id: string;
  /** Cluster of the proxy. */
  cluster?: string;
  /** Istio's node metadata: strings, and objects of strings. */
  metadata?: Record<string, unknown>;
}

/** What the control plane pushes. */
export interface DiscoveryResponse {
  /** Version of the whole. */
  versionInfo: string;
  /** The resources. */
  resources: AnyMessage[];
  /** Type of the resources. */
  typeUrl: string;
  /** To be repeated in the ACK or NACK. */
  nonce: string;
}

/** The message definitions, one text a package. Field numbers are those of the sources named above. */
const DEFINITIONS = [
  `syntax = "proto3";
   package istio.v1.auth;
   message IstioCertificateRequest { string csr = 1; int64 validity_duration = 3; }
   message IstioCertificateResponse { repeated string cert_chain = 1; }`,

  `syntax = "proto3";
   package envoy.service.discovery.v3;
   message Node { string id = 1; string cluster = 2; google.protobuf.Struct metadata = 3; }
   message Status { int32 code = 1; string message = 2; }
   message DiscoveryRequest {
     string version_info = 1;
     Node node = 2;
     string type_url = 4;
     string response_nonce = 5;
     Status error_detail = 6;
   }
   message DiscoveryResponse {
     string version_info = 1;
     repeated google.protobuf.Any resources = 2;
     string type_url = 4;
     string nonce = 5;
   }`,

  `syntax = "proto3";
   package istio.networking.nds.v1;
   message NameTable {
     message NameInfo {
       repeated string ips = 1;
       string registry = 2;
       string shortname = 3;
       string namespace = 4;
       repeated string alt_hosts = 5;
     }
     map<string, NameInfo> table = 1;
   }`,
];

const root = new protobuf.Root();
for (const file of ["any", "struct"]) {
  root.addJSON(protobuf.common.get(`google/protobuf/${file}.proto`)!.nested!);
}
for (const definition of DEFINITIONS) protobuf.parse(definition, root);
root.resolveAll();

const NameTable = root.lookupType("istio.networking.nds.v1.NameTable");
const CertificateRequestType = root.lookupType("istio.v1.auth.IstioCertificateRequest");
const CertificateResponseType = root.lookupType("istio.v1.auth.IstioCertificateResponse");
const DiscoveryRequestType = root.lookupType("envoy.service.discovery.v3.DiscoveryRequest");
const DiscoveryResponseType = root.lookupType("envoy.service.discovery.v3.DiscoveryResponse");

/** `IstioCertificateService.CreateCertificate`: signs a CSR. */
export const CREATE_CERTIFICATE: MethodDefinition<CertificateRequest, CertificateResponse> = {
  path: "/istio.v1.auth.IstioCertificateService/CreateCertificate",
  requestStream: false,
  responseStream: false,
  requestSerialize: (request) => encode(CertificateRequestType, request),
  requestDeserialize: (bytes) => decode<CertificateRequest>(CertificateRequestType, bytes),
  responseSerialize: (response) => encode(CertificateResponseType, response),
  responseDeserialize: (bytes) => decode<CertificateResponse>(CertificateResponseType, bytes),
};

/** `AggregatedDiscoveryService.StreamAggregatedResources`: the name table and its updates. */
export const STREAM_AGGREGATED_RESOURCES: MethodDefinition<DiscoveryRequest, DiscoveryResponse> = {
  path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
  requestStream: true,
  responseStream: true,
  requestSerialize: (request) =>
    encode(DiscoveryRequestType, {
      ...request,
      node: request.node && { ...request.node, metadata: toStruct(request.node.metadata ?? {}) },
    }),
  requestDeserialize: (bytes) => {
    const request = decode<DiscoveryRequest>(DiscoveryRequestType, bytes);
    const metadata = request.node?.metadata as ProtobufStruct | undefined;
    return request.node === undefined || request.node === null
      ? { ...request, node: undefined }
      : { ...request, node: { ...request.node, metadata: fromStruct(metadata) } };
  },
  responseSerialize: (response) =>
    encode(DiscoveryResponseType, {
      ...response,
      resources: response.resources.map(({ typeUrl, value }) => ({ type_url: typeUrl, value })),
    }),
  responseDeserialize: (bytes) => {
    const response = decode<
      Omit<DiscoveryResponse, "resources"> & {
        resources: { type_url: string; value: Uint8Array }[];
      }
    >(DiscoveryResponseType, bytes);
    return {
      ...response,
      resources: response.resources.map(({ type_url, value }) => ({ typeUrl: type_url, value })),
    };
  },
};

/** Encodes a NameTable; ports are dropped, since NDS has no field for them. */
export function encodeNameTable(entries: Iterable<HostEntry>): Uint8Array {
  const table: Record<string, NameInfo> = {};
  for (const entry of entries) {
    table[entry.host] = {
      ips: entry.addresses,
      registry: entry.registry,
      shortname: entry.shortName,
      namespace: entry.namespace,
      altHosts: entry.altHosts,
    };
  }
  return NameTable.encode({ table }).finish();
}

/** A NameTable as the resource of a {@link DiscoveryResponse}. */
export function nameTableResource(entries: Iterable<HostEntry>): AnyMessage {
  return { typeUrl: NAME_TABLE_TYPE_URL, value: encodeNameTable(entries) };
}

interface NameInfo {
  ips: string[];
  registry: string;
  shortname: string;
  namespace: string;
  altHosts: string[];
}

function encode(type: protobuf.Type, message: object): Buffer {
  return Buffer.from(type.encode(type.fromObject(message)).finish());
}

function decode<T>(type: protobuf.Type, bytes: Uint8Array): T {
  return type.toObject(type.decode(bytes), {
    defaults: true,
    arrays: true,
    longs: Number,
  }) as T;
}

interface ProtobufStruct {
  fields?: Record<string, ProtobufValue>;
}

interface ProtobufValue {
  stringValue?: string;
  numberValue?: number;
  boolValue?: boolean;
  structValue?: ProtobufStruct;
  listValue?: { values?: ProtobufValue[] };
}

function toStruct(object: Record<string, unknown>): ProtobufStruct {
  return {
    fields: Object.fromEntries(
      Object.entries(object)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name, toValue(value)]),
    ),
  };
}

function toValue(value: unknown): ProtobufValue {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "number") return { numberValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } };
  return { structValue: toStruct(value as Record<string, unknown>) };
}

function fromStruct(struct: ProtobufStruct | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(struct?.fields ?? {}).map(([name, value]) => [name, fromValue(value)]),
  );
}

function fromValue(value: ProtobufValue): unknown {
  if (value.structValue) return fromStruct(value.structValue);
  if (value.listValue) return (value.listValue.values ?? []).map(fromValue);
  return value.stringValue || value.numberValue || value.boolValue || value.stringValue;
}

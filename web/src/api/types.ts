/** The names this app uses for the schemas of the OpenAPI document. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Session = Schemas['Session'];
export type Tenant = Session['tenants'][number];
export type Device = Schemas['Device'];
export type TagCount = Schemas['TagCount'];
export type DeviceState = Device['state'];
export type ChangedDevices = Schemas['ChangedDevices'];
export type Skipped = Schemas['Skipped'];
export type Pairing = Schemas['Pairing'];
export type Chat = Schemas['Chat'];
export type Message = Schemas['Message'];
export type MessageWindow = Schemas['MessageWindow'];
export type MessageReceipts = Schemas['MessageReceipts'];
export type PersonReceipt = MessageReceipts['people'][number];
export type FoundChat = Schemas['FoundChat'];
export type FoundMessage = Schemas['FoundMessage'];
export type Outbox = Schemas['Outbox'];
export type Key = Schemas['Key'];
export type NewKey = Schemas['NewKey'];
export type Upload = Schemas['Upload'];
export type QuickReply = Schemas['QuickReply'];
export type User = Schemas['User'];
export type NewUser = Schemas['NewUser'];
export type Colleague = Schemas['Colleague'];
export type Label = Schemas['Label'];
export type Note = Schemas['Note'];
export type Facts = Schemas['Facts'];
export type Viewer = Schemas['Viewer'];
export type Sequence = Schemas['Sequence'];
export type SequenceWithSteps = Schemas['SequenceWithSteps'];
export type SequenceStep = Schemas['SequenceStep'];
export type StepFields = Schemas['CreateStep'];
export type SequenceReport = Schemas['SequenceReport'];
export type StepBuckets = Schemas['StepBuckets'];
export type Enrolment = Schemas['Enrolment'];

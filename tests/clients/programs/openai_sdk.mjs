// OpenAI's own SDK for JavaScript, as its README shows it; each line of the output is one answer, in JSON.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.env.GATEWAY_URL, apiKey: process.env.GATEWAY_KEY });
const model = "tess-6";
const show = (name, value) => console.log(JSON.stringify([name, value]));

const chat = await client.chat.completions.create({ model, messages: [{ role: "user", content: "SAY hello ENDSAY" }] });
show("chat", chat.choices[0].message.content);

let pieces = [];
const stream = await client.chat.completions.create({
  model,
  stream: true,
  messages: [{ role: "user", content: "SAY one two three ENDSAY" }],
});
for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta?.content ?? "");
show("stream", pieces.filter(Boolean));

const weather = {
  type: "function",
  function: {
    name: "weather",
    description: "Tell the weather of a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    parse: JSON.parse,
    function: ({ city }) => `sunny in ${city}`,
  },
};
const prompt = 'CALL weather {"city": "Rome"} ENDCALL SAY it is sunny ENDSAY';
const runner = client.chat.completions.runTools({ model, messages: [{ role: "user", content: prompt }], tools: [weather] });
const said = await runner.finalContent();
show("tools", [said, runner.messages.map((message) => message.role), runner.messages[2].content]);

const response = await client.responses.create({ model, input: "SAY hello ENDSAY" });
show("responses", response.output_text);
const next = await client.responses.create({ model, input: "SAY again ENDSAY", previous_response_id: response.id });
show("responses, continued", next.output_text);

const events = client.responses.stream({ model, input: "SAY a b c ENDSAY" });
let types = new Set();
for await (const event of events) types.add(event.type);
show("responses, stream", [(await events.finalResponse()).output_text, types.has("response.completed")]);

const listed = [];
for await (const each of client.models.list()) listed.push(each.id);
show("models", listed.includes(model));

try {
  await client.embeddings.create({ model, input: "hello" });
} catch (error) {
  show("error", [error instanceof OpenAI.NotFoundError, error.code]);
}

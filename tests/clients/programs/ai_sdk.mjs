// Vercel's AI SDK, over the Responses API and over chat completions; each line of the output is one answer, in JSON.
import { createOpenAI } from "@ai-sdk/openai";
import { generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const tess = createOpenAI({ baseURL: process.env.GATEWAY_URL, apiKey: process.env.GATEWAY_KEY });
const show = (name, value) => console.log(JSON.stringify([name, value]));
const weather = tool({
  description: "Tell the weather of a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});
const city = z.object({ name: z.string(), country: z.string() });

for (const [api, model] of [["responses", tess("tess-6")], ["chat", tess.chat("tess-6")]]) {
  show(`${api}: generateText`, (await generateText({ model, prompt: "SAY hello ENDSAY" })).text);

  let pieces = [];
  for await (const piece of streamText({ model, prompt: "SAY one two three ENDSAY" }).textStream) pieces.push(piece);
  show(`${api}: streamText`, pieces.filter(Boolean));

  const prompt = 'CALL weather {"city": "Rome"} ENDCALL SAY it is sunny ENDSAY';
  const tools = await generateText({ model, prompt, tools: { weather }, stopWhen: stepCountIs(3) });
  show(`${api}: tools`, [tools.text, tools.steps[0].toolResults[0].output]);

  const made = await generateObject({ model, schema: city, prompt: 'SAY {"name": "Rome", "country": "Italy"} ENDSAY' });
  show(`${api}: generateObject`, made.object);
}

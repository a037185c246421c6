using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi.Answers;
using Cairn.Frameworks.Engine.OpenAi.Requests;
using Microsoft.AspNetCore.Http;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary><c>POST /tokenize</c> and <c>/detokenize</c>, as vLLM has them.</summary>
internal sealed class TokenizeEndpoints(LanguageFace face)
{
    public Task TokenizeAsync(HttpContext context) => AnswerAsync(context, TokenizeAsync);

    public Task DetokenizeAsync(HttpContext context) => AnswerAsync(context, DetokenizeAsync);

    private Task AnswerAsync(HttpContext context, Func<HttpContext, Fields, ServedLanguageModel, Task<OpenAiError?>> answer) =>
        face.AnswerAsync(context, async fields =>
        {
            var name = fields.Text("model", 256);
            var (model, error) = fields.Error is null ? face.Find(name) : (null, fields.Error);
            return model is null ? error : await answer(context, fields, model);
        });

    private async Task<OpenAiError?> TokenizeAsync(HttpContext context, Fields fields, ServedLanguageModel model)
    {
        var text = fields.Has("messages") ? null : fields.Text("prompt");
        var special = fields.Flag("add_special_tokens") ?? text is not null;
        var asTexts = fields.Flag("return_token_strs") ?? false;
        if (text is null)
        {
            if (!fields.Has("messages"))
                fields.Refuse("prompt", "prompt is missing; expected a text, or messages.", "missing_required_parameter");
            var chat = ChatRequest.Parse(fields);
            if (fields.Error is not null)
                return fields.Error;
            (text, var error) = ChatPrompt.Render(model, chat, ChatTools.Of(model, chat, face.Time), face.Time.GetUtcNow(),
                context.RequestAborted);
            if (text is null)
                return error;
        }

        if (fields.Error is not null)
            return fields.Error;
        var tokens = model.Model.Tokenizer.Encode(text, special);
        var texts = new TokenTexts(model.Model.Tokenizer);
        await WholeAnswer.SendAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("count"u8, tokens.Length);
            json.WriteNumber("max_model_len"u8, model.Model.ContextLength);
            json.WriteStartArray("tokens"u8);
            foreach (var token in tokens)
                json.WriteNumberValue(token);
            json.WriteEndArray();
            if (asTexts)
            {
                json.WriteStartArray("token_strs"u8);
                foreach (var token in tokens)
                    json.WriteStringValue(texts.Of(token).Text);
                json.WriteEndArray();
            }
            else
            {
                json.WriteNull("token_strs"u8);
            }

            json.WriteEndObject();
        });
        return null;
    }

    private static async Task<OpenAiError?> DetokenizeAsync(HttpContext context, Fields fields, ServedLanguageModel model)
    {
        var prompts = PromptFields.Read(fields, "tokens", most: 1);
        if (prompts is not [{ Tokens: { } tokens }])
            fields.Refuse("tokens", "tokens is no list of tokens.");
        else if (Array.FindIndex(tokens, token => token >= model.Model.Tokenizer.VocabularySize) is >= 0 and var wrong)
            fields.Refuse($"tokens[{wrong}]",
                $"tokens[{wrong}] is {tokens[wrong]}; this model's tokens are 0 to {model.Model.Tokenizer.VocabularySize - 1}.");
        if (fields.Error is not null)
            return fields.Error;
        var text = model.Model.Tokenizer.Decode(prompts[0].Tokens, skipSpecialTokens: false);
        await WholeAnswer.SendAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteString("prompt"u8, text);
            json.WriteEndObject();
        });
        return null;
    }
}

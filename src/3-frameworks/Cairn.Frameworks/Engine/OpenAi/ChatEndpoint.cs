using Cairn.Frameworks.Engine.OpenAi.Answers;
using Cairn.Frameworks.Engine.OpenAi.Requests;
using Microsoft.AspNetCore.Http;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatEndpoint(LanguageFace face)
{
    public Task AnswerAsync(HttpContext context)
    {
        var began = face.Time.GetTimestamp();
        return face.AnswerAsync(context, fields => AnswerAsync(context, fields, began));
    }

    private async Task<OpenAiError?> AnswerAsync(HttpContext context, Fields fields, long began)
    {
        var chat = ChatRequest.Parse(fields);
        if (fields.Error is not null)
            return fields.Error;
        var (model, error) = face.Find(chat.Output.Model);
        if (model is null)
            return error;
        var tools = ChatTools.Of(model, chat, face.Time);
        (var text, error) = ChatPrompt.Render(model, chat, tools, face.Time.GetUtcNow(), context.RequestAborted);
        if (text is null)
            return error;
        (var prompt, error) = LanguageFace.Encode(model, new PromptInput(text, null), addSpecialTokens: false, "messages");
        if (prompt is null)
            return error;
        (var grammar, error) = face.Check(model, chat.Output);
        if (error is null && tools is { Must: true })
            (grammar, error) = face.Check(tools);
        if (error is not null)
            return error;

        var work = new OutputWork([prompt], chat.Output.Choices, chat.Output, grammar, LanguageFace.Caller(context, chat.Output));
        using var running = RunningOutputs.Start(model, work, face.Time, began, context.RequestAborted);
        var head = new AnswerHead("chatcmpl-" + context.TraceIdentifier, face.Time.GetUtcNow().ToUnixTimeSeconds(), model.Name);
        var logprobs = chat.Output.Sampling.TopLogprobs is null ? null : new TokenTexts(model.Model.Tokenizer);
        if (chat.Output.Stream)
            await StreamAsync(context, chat.Output, head, running, logprobs, tools);
        else
            await SendAsync(context, chat.Output, head, running, logprobs, tools);
        return null;
    }

    private static async Task StreamAsync(
        HttpContext context, OutputSpec spec, AnswerHead head, RunningOutputs running, TokenTexts? logprobs, ChatTools? tools)
    {
        using var stream = new ChatStream(context.Response.BodyWriter, head, spec.Choices, spec.IncludeUsage, logprobs, tools);
        await Answering.StreamAsync(context, stream, running.All, spec.Choices, running.Cancelled);
    }

    private static async Task SendAsync(
        HttpContext context, OutputSpec spec, AnswerHead head, RunningOutputs running, TokenTexts? logprobs, ChatTools? tools)
    {
        var outputs = await Answering.CollectAsync(running.All, logprobs is not null, running.Cancelled);
        var usage = Usage.Of([.. outputs.Select(output => output.Finish!)], spec.Choices);
        await WholeAnswer.SendAsync(context, json => WholeAnswer.WriteChat(json, head, outputs, usage, logprobs, tools));
    }
}

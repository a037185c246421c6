using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi.Answers;
using Cairn.Frameworks.Engine.OpenAi.Requests;
using Microsoft.AspNetCore.Http;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary><c>POST /v1/completions</c>.</summary>
internal sealed class CompletionEndpoint(LanguageFace face)
{
    public Task AnswerAsync(HttpContext context)
    {
        var began = face.Time.GetTimestamp();
        return face.AnswerAsync(context, fields => AnswerAsync(context, fields, began));
    }

    private async Task<OpenAiError?> AnswerAsync(HttpContext context, Fields fields, long began)
    {
        var request = CompletionRequest.Parse(fields);
        if (fields.Error is not null)
            return fields.Error;
        var (model, error) = face.Find(request.Output.Model);
        if (model is null)
            return error;
        (var prompts, error) = Encode(model, request);
        if (prompts is null)
            return error;
        (var grammar, error) = face.Check(model, request.Output);
        if (error is not null)
            return error;

        var output = request.BestOf > request.Output.Choices && request.Output.Sampling.TopLogprobs is null
            ? request.Output with { Sampling = request.Output.Sampling with { TopLogprobs = 0 } }
            : request.Output;
        var work = new OutputWork(prompts, request.BestOf, output, grammar, LanguageFace.Caller(context, output));
        using var running = RunningOutputs.Start(model, work, face.Time, began, context.RequestAborted);
        var head = new AnswerHead("cmpl-" + context.TraceIdentifier, face.Time.GetUtcNow().ToUnixTimeSeconds(), model.Name);
        var logprobs = request.Output.Sampling.TopLogprobs is null ? null : new TokenTexts(model.Model.Tokenizer);
        await SendAsync(context, request, head, running, logprobs, Echoes(model, request));
        return null;
    }

    private static async Task SendAsync(
        HttpContext context, CompletionRequest request, AnswerHead head, RunningOutputs running, TokenTexts? logprobs,
            IReadOnlyList<string>? echoes)
    {
        if (request.Output.Stream)
        {
            using var stream = new CompletionStream(context.Response.BodyWriter, head, running.All.Count, request.Output.IncludeUsage,
                logprobs, echoes);
            await Answering.StreamAsync(context, stream, running.All, request.BestOf, running.Cancelled);
            return;
        }

        var made = await Answering.CollectAsync(running.All, logprobs is not null, running.Cancelled);
        var usage = Usage.Of([.. made.Select(output => output.Finish!)], request.BestOf);

        // Sorting is stable, so equally likely outputs stay in their order.
        var told = made.Chunk(request.BestOf)
            .SelectMany(ofPrompt => (request.BestOf > request.Output.Choices ? ofPrompt.OrderByDescending(output => output.MeanLogprob)
                : ofPrompt.AsEnumerable()).Take(request.Output.Choices))
            .ToList();
        await WholeAnswer.SendAsync(context, json => WholeAnswer.WriteCompletion(json, head, told, usage, logprobs, echoes));
    }

    private static (IReadOnlyList<int[]>? Prompts, OpenAiError? Error) Encode(ServedLanguageModel model, CompletionRequest request)
    {
        var prompts = new List<int[]>(request.Prompts.Count);
        foreach (var prompt in request.Prompts)
        {
            var param = request.Prompts.Count == 1 ? "prompt" : $"prompt[{prompts.Count}]";
            var (tokens, error) = LanguageFace.Encode(model, prompt, request.AddSpecialTokens, param);
            if (tokens is null)
                return (null, error);
            prompts.Add(tokens);
        }

        return (prompts, null);
    }

    private static IReadOnlyList<string>? Echoes(ServedLanguageModel model, CompletionRequest request) => request.Echo
        ? [.. request.Prompts.SelectMany(prompt =>
            Enumerable.Repeat(prompt.Text ?? model.Model.Tokenizer.Decode(prompt.Tokens), request.Output.Choices))]
        : null;
}

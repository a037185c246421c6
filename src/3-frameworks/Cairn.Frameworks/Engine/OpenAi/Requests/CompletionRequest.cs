using System.Text.Json;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>A plain completion: prompts as texts or tokens.</summary>
internal sealed record CompletionRequest
{
    private const int DefaultMaximumTokens = 16;
    private const int MostLogprobs = 20;
    private const int MostBestOf = 20;

    public required IReadOnlyList<PromptInput> Prompts { get; init; }

    public required OutputSpec Output { get; init; }

    public bool Echo { get; init; }

    /// <summary>Outputs made per prompt; the likeliest <see cref="OutputSpec.Choices"/> of them are told.</summary>
    public int BestOf { get; init; }

    public bool AddSpecialTokens { get; init; }

    public static CompletionRequest Parse(Fields fields)
    {
        var logprobs = (int?)fields.Integer("logprobs", 0, MostLogprobs);
        var output = OutputFields.Read(fields, logprobs);
        var request = new CompletionRequest
        {
            Prompts = PromptFields.Read(fields, "prompt"),
            Output = output with { MaximumTokens = output.MaximumTokens ?? DefaultMaximumTokens },
            Echo = fields.Flag("echo") ?? false,
            BestOf = (int)(fields.Integer("best_of", 1, MostBestOf) ?? output.Choices),
            AddSpecialTokens = fields.Flag("add_special_tokens") ?? true,
        };
        if (fields.TryGet("suffix", out var suffix) && !(suffix.ValueKind == JsonValueKind.String && suffix.GetString()!.Length == 0))
            fields.Refuse("suffix", "suffix is not supported: models served here continue a text, and do not fill gaps.", "unsupported");
        if (request.BestOf < output.Choices)
            fields.Refuse("best_of", $"best_of is {request.BestOf}; expected at least n, which is {output.Choices}.");
        if (request.BestOf > output.Choices && output.Stream)
            fields.Refuse("best_of", "best_of above n cannot be streamed: which output is best is known at the end.");
        if (request.Echo && logprobs is not null)
            fields.Refuse("echo", "echo with logprobs is not supported: log-probabilities are told of the output only.", "unsupported");
        if (request.Prompts.Count * request.BestOf > OutputSpec.MostChoices)
            fields.Refuse("n", $"{request.Prompts.Count} prompts with {request.BestOf} outputs each; expected at most {OutputSpec.MostChoices} outputs in one request.");
        return request;
    }
}

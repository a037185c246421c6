using System.Text.Json;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>Tokens of a whole answer. A prompt counts once, however many outputs it has.</summary>
internal readonly record struct Usage(int PromptTokens, int CachedTokens, int OutputTokens)
{
    /// <param name="finishes">Of every output, in their order; those of one prompt stand together.</param>
    public static Usage Of(IReadOnlyList<GenerationFinish> finishes, int outputsPerPrompt)
    {
        var usage = default(Usage);
        for (var i = 0; i < finishes.Count; i++)
        {
            usage = usage with { OutputTokens = usage.OutputTokens + finishes[i].OutputTokens };
            if (i % outputsPerPrompt == 0)
            {
                usage = usage with
                {
                    PromptTokens = usage.PromptTokens + finishes[i].PromptTokens,
                    CachedTokens = usage.CachedTokens + finishes[i].CachedTokens,
                };
            }
        }

        return usage;
    }

    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, PromptTokens);
        json.WriteNumber("completion_tokens"u8, OutputTokens);
        json.WriteNumber("total_tokens"u8, PromptTokens + OutputTokens);
        json.WriteStartObject("prompt_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, CachedTokens);
        json.WriteNumber("audio_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, 0);
        json.WriteNumber("audio_tokens"u8, 0);
        json.WriteNumber("accepted_prediction_tokens"u8, 0);
        json.WriteNumber("rejected_prediction_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}

using System.Globalization;
using System.Text.Json;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>Reads what chat and plain completions share. Ranges are OpenAI's; top_k, min_p, repetition_penalty and ignore_eos are
/// vLLM's.</summary>
internal static class OutputFields
{
    private const int MostStops = 16;
    private const int LongestStop = 1024;
    private const int MostBiases = 1024;

    public static OutputSpec Read(Fields fields, int? topLogprobs)
    {
        var spec = new OutputSpec
        {
            Model = fields.Text("model", 256),
            Sampling = Sampling(fields, topLogprobs),
            Stops = Stops(fields),
            MaximumTokens = MaximumTokens(fields),
            Choices = (int)(fields.Integer("n", 1, OutputSpec.MostChoices) ?? 1),
            Stream = fields.Flag("stream") ?? false,
            IncludeUsage = fields.Object("stream_options")?.Flag("include_usage") ?? false,
            IgnoreEnd = fields.Flag("ignore_eos") ?? false,
            Constraint = ConstraintFields.Read(fields),
            User = fields.Text("safety_identifier", 512) ?? fields.Text("user", 512),
        };
        if (fields.Has("stream_options") && !spec.Stream)
            fields.Refuse("stream_options", "stream_options is given, and stream is not true.");
        return spec;
    }

    private static SamplingSpec Sampling(Fields fields, int? topLogprobs)
    {
        var topK = fields.Integer("top_k", -1, int.MaxValue) ?? 0;
        var topP = fields.Number("top_p", 0, 1) ?? 1;
        return new SamplingSpec
        {
            Temperature = (float)(fields.Number("temperature", 0, 2) ?? 1),
            TopK = (int)Math.Max(0, topK),

            // Zero means as few as can be, which is one.
            TopP = (float)Math.Max(topP, 1e-9),
            MinP = (float)(fields.Number("min_p", 0, 1) ?? 0),
            RepetitionPenalty = (float)(fields.Number("repetition_penalty", 0.01, 10) ?? 1),
            PresencePenalty = (float)(fields.Number("presence_penalty", -2, 2) ?? 0),
            FrequencyPenalty = (float)(fields.Number("frequency_penalty", -2, 2) ?? 0),
            LogitBias = LogitBias(fields),
            Seed = fields.Integer("seed", long.MinValue, long.MaxValue) is { } seed ? unchecked((ulong)seed) : null,
            TopLogprobs = topLogprobs,
        };
    }

    private static int? MaximumTokens(Fields fields)
    {
        var older = fields.Integer("max_tokens", 1, int.MaxValue);
        return (int?)(fields.Integer("max_completion_tokens", 1, int.MaxValue) ?? older);
    }

    private static IReadOnlyList<string> Stops(Fields fields)
    {
        if (!fields.TryGet("stop", out var value))
            return [];
        if (value.ValueKind == JsonValueKind.String)
            return Checked(fields, "stop", value) is { } only ? [only] : [];
        var stops = new List<string>();
        foreach (var item in fields.Array("stop", MostStops))
        {
            if (Checked(fields, $"stop[{stops.Count}]", item) is not { } stop)
                return [];
            stops.Add(stop);
        }

        return stops;
    }

    private static string? Checked(Fields fields, string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            fields.WrongKind(name, value, "a text");
            return null;
        }

        var text = value.GetString()!;
        if (text.Length is >= 1 and <= LongestStop)
            return text;
        fields.Refuse(name, $"{name} has {text.Length} characters; expected 1 to {LongestStop}.");
        return null;
    }

    private static Dictionary<int, float> LogitBias(Fields fields)
    {
        var biases = new Dictionary<int, float>();
        if (fields.Object("logit_bias") is not { } map)
            return biases;
        foreach (var property in map.Element.EnumerateObject())
        {
            if (biases.Count == MostBiases)
                fields.Refuse("logit_bias", $"logit_bias has more than {MostBiases} tokens.");
            if (!int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var token))
                fields.Refuse("logit_bias", $"logit_bias has '{Fields.Short(property.Name)}'; expected token ids.");
            var bias = map.Number(property.Name, -100, 100);
            if (fields.Error is not null)
                break;
            biases[token] = (float)(bias ?? 0);
        }

        return biases;
    }
}

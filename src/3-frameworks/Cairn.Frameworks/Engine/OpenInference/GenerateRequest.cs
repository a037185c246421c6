using System.Text.Json;
using Cairn.Frameworks.Engine.Tensors;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>A generate call: text and parameters, which may also stand beside the text.</summary>
internal sealed record GenerateRequest
{
    private const int StopsLimit = 16;

    public required string Text { get; init; }

    /// <summary>Default 16, as of Triton's vLLM backend.</summary>
    public int MaximumTokens { get; init; } = 16;

    /// <summary>Whether pieces are sent as they come; only a stream can.</summary>
    public bool Stream { get; init; } = true;

    public bool IgnoreEnd { get; init; }

    public IReadOnlyList<string> Stops { get; init; } = [];

    public SamplingSpec Sampling { get; init; } = new();

    /// <exception cref="RefusedException">What is wrong.</exception>
    public static GenerateRequest Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("text_input", out var text)
                || text.ValueKind != JsonValueKind.String)
                throw RefusedException.Invalid("'text_input' is missing or not a string");
            var request = Apply(new() { Text = text.GetString()! }, root);
            return root.TryGetProperty("parameters", out var parameters) && parameters.ValueKind == JsonValueKind.Object
                ? Apply(request, parameters)
                : request;
        }
        catch (JsonException failure)
        {
            throw RefusedException.Invalid($"failed to parse the request JSON buffer: {failure.Message}");
        }
    }

    private static GenerateRequest Apply(GenerateRequest request, JsonElement parameters)
    {
        foreach (var parameter in parameters.EnumerateObject())
            try
            {
                request = Apply(request, parameter.Name, parameter.Value);
            }
            catch (Exception failure) when (failure is InvalidOperationException or FormatException)
            {
                throw RefusedException.Invalid(
                    $"the parameter '{parameter.Name}' is {parameter.Value.GetRawText()}, which is of another type than expected");
            }

        return request;
    }

    private static GenerateRequest Apply(GenerateRequest request, string name, JsonElement value)
    {
        var sampling = request.Sampling;
        return name switch
        {
            "max_tokens" => request with { MaximumTokens = value.GetInt32() },
            "stream" => request with { Stream = value.GetBoolean() },
            "ignore_eos" => request with { IgnoreEnd = value.GetBoolean() },
            "stop" => request with { Stops = Strings(value) },
            "temperature" => request with { Sampling = sampling with { Temperature = value.GetSingle() } },
            "top_k" => request with { Sampling = sampling with { TopK = Math.Max(value.GetInt32(), 0) } },
            "top_p" => request with { Sampling = sampling with { TopP = value.GetSingle() } },
            "min_p" => request with { Sampling = sampling with { MinP = value.GetSingle() } },
            "repetition_penalty" => request with { Sampling = sampling with { RepetitionPenalty = value.GetSingle() } },
            "presence_penalty" => request with { Sampling = sampling with { PresencePenalty = value.GetSingle() } },
            "frequency_penalty" => request with { Sampling = sampling with { FrequencyPenalty = value.GetSingle() } },
            "seed" => request with { Sampling = sampling with { Seed = value.GetUInt64() } },
            _ => request,
        };
    }

    private static IReadOnlyList<string> Strings(JsonElement value)
    {
        var strings = value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(item => item.GetString() ?? "")]
            : new List<string> { value.GetString() ?? "" };
        strings.RemoveAll(text => text.Length == 0);
        return strings.Count <= StopsLimit ? strings : throw RefusedException.Invalid(
            $"'stop' has {strings.Count} strings; at most {StopsLimit} are taken");
    }
}

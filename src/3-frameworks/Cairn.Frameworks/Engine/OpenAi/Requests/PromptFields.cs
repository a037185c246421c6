using System.Text.Json;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>A text, or the tokens of one.</summary>
internal readonly record struct PromptInput(string? Text, int[]? Tokens);

/// <summary>Reads what may be a text, a list of texts, a list of tokens, or a list of lists of tokens.</summary>
internal static class PromptFields
{
    private const int MostTokens = 4 << 20;

    public static IReadOnlyList<PromptInput> Read(Fields fields, string name, int most = OutputSpec.MostChoices)
    {
        if (!fields.TryGet(name, out var value))
        {
            fields.Refuse(name, $"{name} is missing; expected a text, tokens, or a list of either.", "missing_required_parameter");
            return [];
        }

        if (value.ValueKind == JsonValueKind.String)
            return [new PromptInput(value.GetString(), null)];
        if (value.ValueKind != JsonValueKind.Array)
        {
            fields.WrongKind(name, value, "a text, tokens, or a list of either");
            return [];
        }

        var first = value.EnumerateArray().FirstOrDefault();
        if (first.ValueKind == JsonValueKind.Number)
            return Tokens(fields, name, value) is { } tokens ? [new PromptInput(null, tokens)] : [];
        if (first.ValueKind != JsonValueKind.Undefined)
            return List(fields, name, most);
        fields.Refuse(name, $"{name} is empty; expected at least one text or token.");
        return [];
    }

    private static List<PromptInput> List(Fields fields, string name, int most)
    {
        var prompts = new List<PromptInput>();
        foreach (var item in fields.Array(name, most))
        {
            var place = $"{name}[{prompts.Count}]";
            if (item.ValueKind == JsonValueKind.String)
                prompts.Add(new PromptInput(item.GetString(), null));
            else if (item.ValueKind == JsonValueKind.Array && item.GetArrayLength() > 0)
                prompts.Add(new PromptInput(null, Tokens(fields, place, item) ?? []));
            else
                fields.WrongKind(place, item, "a text or a list of tokens");
            if (fields.Error is not null)
                return [];
        }

        return prompts;
    }

    private static int[]? Tokens(Fields fields, string name, JsonElement list)
    {
        if (list.GetArrayLength() > MostTokens)
        {
            fields.Refuse(name, $"{name} has {list.GetArrayLength()} tokens; expected at most {MostTokens}.");
            return null;
        }

        var tokens = new int[list.GetArrayLength()];
        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out tokens[index]) || tokens[index] < 0)
            {
                fields.WrongKind($"{name}[{index}]", item, "a token: an integer, not negative");
                return null;
            }

            index++;
        }

        return tokens;
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Frameworks.Fitting;

namespace Cairn.Frameworks.Recipes.Serving;

/// <summary>The recipes of <c>serving.json</c>. A field, a word or a precision that is not known there is an error.</summary>
public static class ServingRecipes
{
    private static readonly Lazy<IReadOnlyList<ServingRecipe>> s_all = new(Load);

    public static IReadOnlyList<ServingRecipe> All => s_all.Value;

    public static ServingRecipe Cairn => Find("cairn")!;

    public static ServingRecipe Vllm => Find("vllm")!;

    public static ServingRecipe SgLang => Find("sglang")!;

    public static ServingRecipe Tgi => Find("tgi")!;

    public static ServingRecipe TensorRtLlm => Find("tensorrt-llm")!;

    public static ServingRecipe Triton => Find("triton")!;

    public static ServingRecipe LlamaCpp => Find("llama.cpp")!;

    public static ServingRecipe Ollama => Find("ollama")!;

    /// <returns>Null where there is no recipe of the name; case does not matter.</returns>
    public static ServingRecipe? Find(string name) =>
        All.FirstOrDefault(recipe => string.Equals(recipe.Name, name, StringComparison.OrdinalIgnoreCase));

    internal static IReadOnlyList<ServingRecipe> Read(Stream json)
    {
        var recipes = JsonSerializer.Deserialize(json, ServingRecipesJson.Default.ListServingRecipe)
            ?? throw new JsonException("The file says null.");
        foreach (var recipe in recipes)
        {
            var texts = recipe.Command.Concat(recipe.Arguments.SelectMany(argument => argument)).Concat(recipe.Environment.Values);
            foreach (var text in texts)
            {
                var rest = ServingRecipeRendering.Braces()
                    .Replace(text, match => s_words.Contains(match.Groups[1].Value) ? "" : match.Value);
                if (rest.Contains('{') || rest.Contains('}'))
                    throw new JsonException($"{recipe.Name} has '{text}'; expected the words {string.Join(", ", s_words)} in braces.");
            }
        }

        return recipes;
    }

    private static readonly string[] s_words =
    [
        "model", "host", "port", "grpc_port", "port+2", "name", "context", "total_context", "sequences", "threads", "gpu_layers", "memory_share",
        "tensor_parallel", "stages",
    ];

    private static IReadOnlyList<ServingRecipe> Load()
    {
        using var stream = typeof(ServingRecipes).Assembly.GetManifestResourceStream("serving.json")
            ?? throw new InvalidOperationException("serving.json is not embedded in Cairn.Frameworks.");
        return Read(stream);
    }
}

/// <summary>Made at build time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true,
    Converters = [typeof(LowerWord<WeightPrecision>), typeof(LowerWord<KvPrecision>)])]
[JsonSerializable(typeof(List<ServingRecipe>))]
internal sealed partial class ServingRecipesJson : JsonSerializerContext;

/// <summary>Enums as lower-case words, no numbers.</summary>
internal sealed class LowerWord<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

using System.Globalization;
using System.Text.RegularExpressions;
using Cairn.Frameworks.Fitting;

namespace Cairn.Frameworks.Recipes.Serving;

/// <summary>Turns a recipe and what is to be served into a command line. Pure.</summary>
public static partial class ServingRecipeRendering
{
    public static ServingRendering Render(this ServingRecipe recipe, ServingStart start)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(start);
        var problems = Problems(recipe, start).ToList();
        if (problems.Count > 0)
            return new ServingRendering.Refused(problems);
        var (arguments, environment) = Fill(recipe, start, Words(start));
        return new ServingRendering.Run(new ServingCommand(
            arguments, environment, Url(start, 0, recipe.Ready.Path), recipe.Ready.Status,
            recipe.Metrics is { } metrics ? Url(start, metrics.PortOffset, metrics.Path) : null));
    }

    /// <summary>The program with its arguments and variables, every word in braces filled in.</summary>
    internal static (List<string> Arguments, Dictionary<string, string> Environment) Fill(ServingRecipe recipe, ServingStart start, Dictionary<string, string> words)
    {
        var arguments = recipe.Command.Select(text => Fill(text, words)!).ToList();
        foreach (var argument in recipe.Arguments)
        {
            var filled = argument.Select(text => Fill(text, words)).ToList();
            if (!filled.Contains(null))
                arguments.AddRange(filled!);
        }

        if (!(start.IsPublishedSo && recipe.WeightsAsPublished.Contains(start.Precision)))
            arguments.AddRange(recipe.Weights[start.Precision]);
        arguments.AddRange(recipe.Kv[start.KvPrecision]);
        var environment = recipe.Environment
            .Select(entry => (entry.Key, Value: Fill(entry.Value, words)))
            .Where(entry => entry.Value is not null)
            .ToDictionary(entry => entry.Key, entry => entry.Value!, StringComparer.Ordinal);
        return (arguments, environment);
    }

    internal static IEnumerable<string> Problems(ServingRecipe recipe, ServingStart start)
    {
        if (start.Model.Length == 0 || start.Model.StartsWith('-'))
            yield return $"the model is '{start.Model}'; expected a path or a name that does not begin with a hyphen.";
        if (start.Name is { } name && (name.Length == 0 || name.StartsWith('-')))
            yield return $"the served name is '{name}'; expected one that does not begin with a hyphen.";
        var speaksGrpc = recipe.Arguments.SelectMany(argument => argument).Any(text => text.Contains("{grpc_port}", StringComparison.Ordinal));
        var ports = 1 + Math.Max(recipe.Metrics?.PortOffset ?? 0, speaksGrpc ? 1 : 0);
        if (start.Port < 1 || start.Port + ports - 1 > 65_535)
            yield return $"the port is {start.Port}; expected 1 to {65_536 - ports}.";
        if (start.Context is < 1 || start.Sequences is < 1 || start.Threads is < 1 || start.MemoryShare is <= 0 or > 1)
            yield return "context, sequences and threads are at least 1, and the memory share is over 0 and at most 1.";
        if (!recipe.Weights.ContainsKey(start.Precision))
        {
            var served = string.Join(", ", recipe.Weights.Keys.Select(Word));
            yield return $"{recipe.Title} serves no {Word(start.Precision)} weights; it serves {served}.";
        }

        if (!recipe.Kv.ContainsKey(start.KvPrecision))
            yield return $"{recipe.Title} keeps no {start.KvPrecision.ToString().ToLowerInvariant()} keys and values.";
        var accelerators = start.UsesAccelerators ? start.Layout.Accelerators : 0;
        if (accelerators > Math.Max(recipe.MostAccelerators, 1))
            yield return $"{recipe.Title} uses at most {recipe.MostAccelerators} accelerators; {accelerators} are wanted.";
        if (!start.UsesAccelerators && !recipe.Devices.Contains("cpu"))
            yield return $"{recipe.Title} does not run without an accelerator.";
    }

    internal static Dictionary<string, string> Words(ServingStart start)
    {
        var words = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["model"] = start.Model,
            ["host"] = start.Host,
            ["port"] = Text(start.Port),
            ["grpc_port"] = Text(start.Port + 1),
            ["port+2"] = Text(start.Port + 2),
            ["gpu_layers"] = start.UsesAccelerators ? "999" : "0",
        };
        void Add(string word, string? value)
        {
            if (value is not null)
                words[word] = value;
        }

        Add("name", start.Name);
        Add("context", start.Context is { } context ? Text(context) : null);
        Add("sequences", start.Sequences is { } sequences ? Text(sequences) : null);
        Add("total_context", start.Context is { } each ? Text((long)each * (start.Sequences ?? 1)) : null);
        Add("threads", start.Threads is { } threads ? Text(threads) : null);
        var share = start.UsesAccelerators ? start.MemoryShare : null;
        Add("memory_share", share?.ToString("0.###", CultureInfo.InvariantCulture));
        Add("tensor_parallel", start.Layout.TensorParallel > 1 ? Text(start.Layout.TensorParallel) : null);
        Add("stages", start.Layout.Stages > 1 ? Text(start.Layout.Stages) : null);
        return words;
    }

    /// <returns>Null where a word has no value.</returns>
    private static string? Fill(string text, Dictionary<string, string> words)
    {
        var complete = true;
        var filled = Braces().Replace(text, match =>
        {
            if (words.TryGetValue(match.Groups[1].Value, out var value))
                return value;
            complete = false;
            return "";
        });
        return complete ? filled : null;
    }

    private static Uri Url(ServingStart start, int portOffset, string path) =>
        new UriBuilder("http", start.Host, start.Port + portOffset, path).Uri;

    private static string Word(WeightPrecision precision) => precision.ToString().ToLowerInvariant();

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\{([a-z_]+(?:\+2)?)\}")]
    internal static partial Regex Braces();
}

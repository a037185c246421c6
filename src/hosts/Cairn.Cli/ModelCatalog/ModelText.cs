using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Cli.ModelCatalog;

/// <summary>How models read on the command line.</summary>
internal static class ModelText
{
    /// <summary>The argument that names a model; the shell completes it.</summary>
    public static Argument<string> Argument()
    {
        var argument = new Argument<string>("MODEL")
        {
            Description = "A name of `cairn models`, such as llama-3.1-8b, or the path of the model's repository.",
            HelpName = "MODEL",
        };
        argument.CompletionSources.Add(_ => OpenModels.All.Select(model => new CompletionItem(model.Name)));
        return argument;
    }

    /// <exception cref="CliException">The name is unknown; the nearest ones are said.</exception>
    public static OpenModel Find(string name)
    {
        if (OpenModels.Find(name) is { } model)
            return model;
        var near = OpenModels.Nearest(name);
        throw new CliException(
            ExitCodes.NotFound, $"The catalogue has no model '{name}'.",
            [near.Count == 0 ? "`cairn models` lists what there is." : $"Did you mean {string.Join(", ", near)}? `cairn models` lists all."]);
    }

    public static ModelKind? ParseKind(ArgumentResult result)
    {
        var word = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (EnumWords.Find<ModelKind>(word) is { } kind)
            return kind;
        result.AddError($"--kind is '{word}'; expected {string.Join(", ", EnumWords.All<ModelKind>())}.");
        return null;
    }

    /// <summary>Parameters, as models' names round them: <c>8.03 B</c>.</summary>
    public static string Count(long parameters) => parameters switch
    {
        >= 1_000_000_000_000 => Words.Number(parameters / 1e12) + " T",
        >= 1_000_000_000 => Words.Number(parameters / 1e9) + " B",
        _ => Words.Number(parameters / 1e6) + " M",
    };

    public static string Tokens(int tokens) => tokens >= 1 << 20 ? $"{tokens >> 20} Mi" : tokens >= 1024 && tokens % 1024 == 0
        ? $"{tokens / 1024} Ki"
        : tokens.ToString(CultureInfo.InvariantCulture);

    public static string Format(PublishedFormat format) => EnumWords.Of(format).Replace('_', ' ');
}

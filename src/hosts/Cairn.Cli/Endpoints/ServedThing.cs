using System.Text;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Offers;
using Cairn.Contracts.Workloads;
using Cairn.Frameworks.ModelCatalog;
using Cairn.Frameworks.Recipes.Serving;

namespace Cairn.Cli.Endpoints;

/// <summary>What a person wants served, as a workload, and why it is that one.</summary>
/// <param name="Text">The workload file, as it was or as it was made.</param>
internal sealed record ServedThing(WorkloadText Text)
{
    /// <summary>For people, one line each.</summary>
    public IReadOnlyList<string> Why { get; init; } = [];

    /// <summary>The name that clients call the model by; null takes the one that its workload says.</summary>
    public string? Model { get; init; }

    /// <summary>Prompt and output together, in tokens; null where unknown.</summary>
    public int? Context { get; init; }

    /// <summary>Requests that one replica is meant to have at once; null leaves it to the autoscaler's default.</summary>
    public double? Concurrency { get; init; }

    /// <summary>Whether Cairn chose what it needs, so that a refusal of every node is worth telling before anything begins.</summary>
    public bool IsPlanned { get; init; }

    /// <summary>A workload file as it is; a folder or a GGUF file with a model; or a model of the catalogue.</summary>
    public static async Task<ServedThing> ReadAsync(CommandContext context, string thing, ServeWish wish, CancellationToken cancellationToken)
    {
        if (Directory.Exists(thing))
            return ServedFolder.Of(Path.GetFullPath(thing), wish);
        if (File.Exists(thing) && thing.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            return ServedFolder.OfGguf(Path.GetFullPath(thing), wish);
        if (File.Exists(thing) || thing == "-")
        {
            return wish.IsOfEngine
                ? throw new CliException(ExitCodes.Usage, $"{thing} says itself what runs where; leave out --engine, --gpu, --weights, --precision, --slo, --concurrency and --spot.")
                : new ServedThing(await WorkloadText.ReadAsync(thing, cancellationToken));
        }

        if (OpenModels.Find(thing) is { } model)
            return await ServedModel.PlanAsync(context, model, wish, cancellationToken);
        var near = OpenModels.Nearest(thing);
        throw new CliException(
            ExitCodes.NotFound, $"There is no file or folder {thing}, and the catalogue has no model of that name.",
            [near.Count == 0 ? "`cairn models` lists the models that Cairn knows." : $"Did you mean {string.Join(", ", near)}? `cairn models` lists all."]);
    }

    /// <summary>A workload that was made, as the file that a person could have written.</summary>
    /// <exception cref="CliException">The engine cannot do it.</exception>
    public static WorkloadText Write(ServingRecipe recipe, ServingStart start, ServingPlace place, string folder)
    {
        switch (ServingWorkload.Of(recipe, start, place))
        {
            case ServingJob.Made(var workload):
                var file = new WorkloadFile { Name = workload.Name, Steps = [new StepSpec { Name = workload.Name, Workload = workload }] };
                return new WorkloadText("model.yaml", folder, WorkloadWriter.ToYaml(file));
            case ServingJob.Refused(var problems):
                throw new CliException(ExitCodes.Usage, $"{recipe.Title} cannot serve this:", [.. problems]);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>A name for an endpoint, made of any words.</summary>
    public static string NameOf(string words)
    {
        var name = new StringBuilder();
        foreach (var letter in words.ToLowerInvariant())
            name.Append(letter is (>= 'a' and <= 'z') or (>= '0' and <= '9') ? letter : '-');
        var text = name.ToString().Trim('-');
        return text.Length is 0 or > 50 ? "model" : text;
    }
}

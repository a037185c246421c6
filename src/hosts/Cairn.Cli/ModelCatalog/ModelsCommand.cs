using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Cli.ModelCatalog;

/// <summary>The parent of everything about models that are not yet anybody's: the catalogue, what fits where, conversions of
/// files.</summary>
internal sealed class ModelsCommand : CairnCommand
{
    private readonly Option<ModelKind?> _kind = new("--kind") { Description = "Only text_generation, embedding or reranker.",
        HelpName = "KIND" };
    private readonly Option<bool> _commercial = new("--commercial") { Description = "Only models whose licence allows commercial use without conditions." };

    public ModelsCommand() : base("models", "The open-weight models that Cairn knows. Needs no server.",
        "cairn models --kind embedding\ncairn models --commercial --json")
    {
        _kind.CustomParser = result => ModelText.ParseKind(result);
        Options.Add(_kind);
        Options.Add(_commercial);
        Subcommands.Add(new ModelsShowCommand());
        Subcommands.Add(new ModelsFitCommand());
        Subcommands.Add(new ModelsQuantizeCommand());
    }

    protected override Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var models = OpenModels.All
            .Where(model => context.Get(_kind) is not { } kind || model.Kind == kind)
            .Where(model => !context.Get(_commercial) || model.CommercialUse is CommercialUse.Yes)
            .OrderBy(model => model.Kind).ThenByDescending(model => model.Released).ThenByDescending(model => model.Parameters)
            .ToList();
        context.Output.Write(models, list => Print(context.Output, list));
        return Task.FromResult(ExitCodes.Success);
    }

    private static void Print(Output output, IReadOnlyList<OpenModel> models)
    {
        var table = Output.NewTable("MODEL", "PUBLISHER~", ">PARAMETERS", ">ACTIVE", ">CONTEXT", "LICENCE~", "RELEASED");
        foreach (var model in models)
        {
            table.AddRow(
                model.Name, Words.Escape(model.Publisher), ModelText.Count(model.Parameters),
                model.ActiveParameters is { } active ? ModelText.Count(active) : "–", ModelText.Tokens(model.Shape.Context),
                Words.Escape(model.License), model.Released.ToString("yyyy-MM", CultureInfo.InvariantCulture));
        }

        output.Table(table);
        output.Note($"{models.Count} models, looked through on {OpenModels.AsOf:yyyy-MM-dd}. `cairn models fit MODEL` says where one runs and what it costs.");
    }
}

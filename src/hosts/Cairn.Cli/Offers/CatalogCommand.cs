using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Fleet.Catalog;
using Cairn.Server.Plans;

namespace Cairn.Cli.Offers;

internal sealed class CatalogCommand : CairnCommand
{
    public CatalogCommand() : base("catalog", "What the price list is made of; import or forget prices. Needs no server.", "cairn catalog import vms.csv --provider aws")
    {
        Subcommands.Add(new ImportCommand());
        Subcommands.Add(new ForgetCommand());
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var catalog = await LocalOffers.File.LoadAsync(cancellationToken);
        foreach (var problem in catalog.Problems)
            context.Output.Note(problem);
        context.Output.Write(catalog.Parts, parts =>
        {
            var table = Output.NewTable("PROVIDER", "FROM", ">OFFERS", "AS OF");
            foreach (var part in parts)
            {
                table.AddRow(
                    Words.Escape(part.Provider), part.Mode is { } mode ? $"imported ({EnumWords.Of(mode)})" : "built in",
                    part.Offers.ToString(CultureInfo.InvariantCulture),
                    part.OldestAsOf == part.NewestAsOf ? $"{part.NewestAsOf:yyyy-MM-dd}" : $"{part.OldestAsOf:yyyy-MM-dd} to {part.NewestAsOf:yyyy-MM-dd}");
            }

            context.Output.Table(table);
        });
        return ExitCodes.Success;
    }
}

internal sealed class ImportCommand : CairnCommand
{
    private const int MostErrorsShown = 20;

    private readonly Argument<string> _file = new("FILE") { Description = "CSV in Cairn's format or in the public SkyPilot catalogue's (vms.csv)." };
    private readonly Option<string?> _provider = new("--provider")
    {
        Description = "Whose offers they are; SkyPilot's files do not say it.", HelpName = "NAME",
    };

    private readonly Option<string> _mode = new("--mode")
    {
        Description = "replace: the provider's offers are these alone; add: they come to those that are there.",
        DefaultValueFactory = _ => "replace",
    };

    private readonly Option<string> _format = new("--format") { Description = "auto, cairn or skypilot.", DefaultValueFactory = _ => "auto" };
    private readonly Option<string?> _source = new("--source") { Description = "Where the figures come from; default the file's name.", HelpName = "TEXT" };
    private readonly Option<string?> _asOf = new("--as-of") { Description = "The day on which they held; default today.", HelpName = "YYYY-MM-DD" };

    public ImportCommand() : base("import", "Import offers from CSV: all rows or none, every bad row named. Into the server where one is set, else on this machine.",
        "cairn catalog import catalogs/v8/aws/vms.csv --provider AWS --as-of 2026-11-01")
    {
        _mode.AcceptOnlyFromAmong("replace", "add");
        _format.AcceptOnlyFromAmong("auto", "cairn", "skypilot");
        Arguments.Add(_file);
        foreach (var option in new Option[] { _provider, _mode, _format, _source, _asOf })
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var path = context.Get(_file)!;
        if (!File.Exists(path))
            throw new CliException(ExitCodes.Usage, $"There is no file {path}.");
        var imported = context.HasServer ? await SendAsync(context, path, cancellationToken) : await KeepAsync(context, path, cancellationToken);
        context.Output.Write(imported, view =>
        {
            context.Output.Line($"{view.Imported} offers of {string.Join(", ", view.Providers)} imported" + (view.SkippedCount > 0 ? $", {view.SkippedCount} rows passed over" : ""));
            foreach (var row in view.Skipped.Take(MostErrorsShown))
                context.Output.Note("  " + row);
        });
        return ExitCodes.Success;
    }

    private async Task<CatalogImportView> SendAsync(CommandContext context, string path, CancellationToken cancellationToken)
    {
        await using var stream = File.OpenRead(path);
        using var body = new StreamContent(stream);
        body.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        var query = Query.Of("catalog/import", ("mode", context.Get(_mode)), ("format", context.Get(_format)), ("provider", context.Get(_provider)),
            ("source", context.Get(_source) ?? Path.GetFileName(path)), ("as_of", context.Get(_asOf)));
        return await context.Api.PostContentAsync<CatalogImportView>(query, body, cancellationToken);
    }

    private async Task<CatalogImportView> KeepAsync(CommandContext context, string path, CancellationToken cancellationToken)
    {
        var asOf = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        if (context.Get(_asOf) is { } text && !DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out asOf))
            throw new CliException(ExitCodes.Usage, $"--as-of {text}: expected a day as YYYY-MM-DD.");
        await using var stream = File.OpenRead(path);
        var result = CatalogImport.Read(
            stream, CatalogEndpoint.ReadFormat(context.Get(_format))!.Value, context.Get(_provider), context.Get(_source) ?? Path.GetFileName(path), asOf);
        if (result.ErrorCount > 0)
        {
            throw new CliException(ExitCodes.Usage, $"{result.ErrorCount} of {result.Rows} rows of {path} are wrong, so nothing was imported.",
                [.. result.Errors.Take(MostErrorsShown).Select(error => error.ToString())]);
        }

        await LocalOffers.File.ImportAsync(result.Offers, CatalogEndpoint.ReadMode(context.Get(_mode))!.Value, cancellationToken);
        return new CatalogImportView(
            result.Offers.Count, result.SkippedCount, [.. result.Skipped.Take(MostErrorsShown).Select(row => row.ToString())],
            [.. result.Offers.Select(offer => offer.Provider).Distinct(StringComparer.OrdinalIgnoreCase)]);
    }
}

internal sealed class ForgetCommand : CairnCommand
{
    private readonly Argument<string> _provider = new("PROVIDER") { Description = "Whose imported offers to forget." };

    public ForgetCommand() : base("forget", "Forget what was imported for a provider; its built-in offers show again.", "cairn catalog forget AWS") => Arguments.Add(_provider);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var provider = context.Get(_provider)!;
        if (context.HasServer)
            await context.Api.DeleteAsync("catalog/" + Query.Segment(provider), cancellationToken);
        else if (!LocalOffers.File.Forget(provider))
            throw new CliException(ExitCodes.NotFound, $"Nothing was imported for the provider '{provider}'.");
        context.Output.Note($"What was imported for {provider} is forgotten.");
        return ExitCodes.Success;
    }
}

using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Server.Plans;

namespace Cairn.Cli.Offers;

internal sealed class OffersCommand : CairnCommand
{
    private readonly Option<string?> _gpu = new("--gpu") { Description = "Only offers with this accelerator, such as H100 or A100-80GB.", HelpName = "NAME" };
    private readonly Option<string?> _model = new("--model")
    {
        Description = "Only hyperscaler, specialized, edge, decentralized or on_premises.", HelpName = "MODEL",
    };

    private readonly Option<string?> _provider = new("--provider") { Description = "Only this provider.", HelpName = "NAME" };
    private readonly Option<string?> _region = new("--region") { Description = "Only this region; us-* matches a prefix.", HelpName = "REGION" };
    private readonly Option<string[]> _cert = new("--cert") { Description = "Only where this certification is held. May be repeated.", HelpName = "NAME" };
    private readonly Option<decimal?> _maxPrice = new("--max-price") { Description = "Only machines up to this price.", HelpName = "USD/H" };
    private readonly Option<int> _limit = new("--limit", "-n") { Description = "At most this many, cheapest first.", DefaultValueFactory = _ => 40 };

    public OffersCommand() : base("offers", "The price list: what can be rented where, cheapest first. Needs no server.", "cairn offers --gpu H100 --cert hipaa --max-price 60")
    {
        foreach (var option in new Option[] { _gpu, _model, _provider, _region, _cert, _maxPrice, _limit })
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var filter = new OfferFilter
        {
            Gpu = context.Get(_gpu), Model = context.Get(_model), Provider = context.Get(_provider), Region = context.Get(_region),
            Certifications = context.Get(_cert) ?? [], MaxPriceUsd = context.Get(_maxPrice),
        };
        if (filter.Problem() is { } problem)
            throw new CliException(ExitCodes.Usage, problem);
        var limit = context.Output.IsJson ? int.MaxValue : context.Get(_limit);
        var offers = context.HasServer
            ? await context.Api.ListAsync<OfferView>(Path(filter), int.MaxValue, cancellationToken)
            : [.. filter.Apply(await LocalOffers.LoadAsync(cancellationToken)).Select(OfferView.From)];
        context.Output.Write(offers, list => Print(context.Output, list, limit));
        return ExitCodes.Success;
    }

    private static string Path(OfferFilter filter) => Query.Of(
        "offers", ("gpu", filter.Gpu), ("model", filter.Model), ("provider", filter.Provider), ("region", filter.Region),
        ("cert", string.Join(',', filter.Certifications)), ("max_price", filter.MaxPriceUsd?.ToString(CultureInfo.InvariantCulture)), ("limit", "1000"));

    private static void Print(Output output, IReadOnlyList<OfferView> offers, int limit)
    {
        if (offers.Count == 0)
        {
            output.Note("No offer matches.");
            return;
        }

        var table = Output.NewTable("PROVIDER", "MODEL", "REGION", "INSTANCE~", "GPU~", ">$/H", ">SPOT", "AS OF");
        foreach (var offer in offers.Take(limit))
        {
            table.AddRow(
                Words.Escape(offer.Provider), EnumWords.Of(offer.DeploymentModel), Words.Escape(offer.Region),
                Words.Escape(offer.InstanceType) + Words.SimulatedMark(offer.Simulated), Words.Escape(OfferText.Gpu(offer)), Words.Usd(offer.OnDemandUsdPerHour),
                offer.SpotUsdPerHour is { } spot ? Words.Usd(spot) : "–", offer.AsOf.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        }

        output.Table(table);
        if (offers.Count > limit)
            output.Note($"{offers.Count - limit} more; --limit shows more.");
    }
}

using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Planning.Comparing;
using Cairn.Server.Plans;

namespace Cairn.Cli.Offers;

internal sealed class CompareCommand : CairnCommand
{
    private readonly Option<string> _gpu = new("--gpu") { Description = "The accelerator, such as H100 or A100-80GB.", DefaultValueFactory = _ => "H100" };
    private readonly Option<int> _count = new("--count") { Description = "How many.", DefaultValueFactory = _ => 1 };
    private readonly Option<bool> _hidden = new("--hidden") { Description = "Add what hides behind the hour: egress, storage and idle for the described use." };
    private readonly Option<double> _egress = new("--egress-tb")
    {
        Description = "With --hidden: terabytes that leave each month.", DefaultValueFactory = _ => 10,
    };

    private readonly Option<double> _storage = new("--storage-tb") { Description = "With --hidden: terabytes kept.", DefaultValueFactory = _ => 10 };
    private readonly Option<double> _utilization = new("--utilization")
    {
        Description = "With --hidden: the share of time in which they work, 0 to 1.", DefaultValueFactory = _ => 0.8,
    };

    private readonly Option<int> _sessions = new("--sessions")
    {
        Description = "With --hidden: into how many sessions a month the work falls; between them machines are released where that is cheaper. 0 keeps them.",
        HelpName = "N",
    };

    public CompareCommand() : base("compare", "The cost of a fleet around the clock at every provider. Needs no server.",
        "cairn compare --gpu H100 --count 10\ncairn compare --gpu H100 --count 10 --hidden --egress-tb 5 --utilization 0.6")
    {
        foreach (var option in new Option[] { _gpu, _count, _hidden, _egress, _storage, _utilization, _sessions })
            Options.Add(option);
    }

    internal static void Print(Output output, IReadOnlyList<Offer> offers, string gpu, int count) =>
        Print(output, FleetCost.Compare(new FleetNeed(gpu, count), offers));

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (context.Get(_count) is < 1 or > 10_000_000)
            throw new CliException(ExitCodes.Usage, $"--count is {context.Get(_count)}; expected 1 to 10,000,000.");
        if (context.Get(_utilization) is not (>= 0 and <= 1) || context.Get(_egress) is not (>= 0 and < 1e6) || context.Get(_storage) is not (>= 0 and < 1e6) || context.Get(_sessions) is < 0 or > 100_000)
            throw new CliException(ExitCodes.Usage, "--utilization is 0 to 1, --egress-tb and --storage-tb are 0 to 1,000,000, and --sessions is 0 to 100,000.");
        var gpu = context.Get(_gpu)!.ToUpperInvariant();
        var need = new FleetNeed(gpu, context.Get(_count)) { Use = context.Get(_hidden) ? Use(context) : null };
        var rows = FleetCost.Compare(need, await LocalOffers.LoadAsync(cancellationToken));
        if (rows.Count == 0)
            throw new CliException(ExitCodes.NotFound, $"No offer of the catalogue has the accelerator '{gpu}'. `cairn offers` lists what there is.");
        context.Output.Write(
            new { Gpu = gpu, Count = need.Count, HoursPerMonth = FleetCost.HoursPerMonth, HoursPerYear = FleetCost.HoursPerYear, Rows = rows.Select(FleetCostView.From) },
            _ =>
            {
                Print(context.Output, rows);
                context.Output.Note($"{FleetCost.HoursPerMonth} hours a month, {FleetCost.HoursPerYear:#,##0} a year; of a market's range the middle.");
            });
        return ExitCodes.Success;
    }

    private FleetUse Use(CommandContext context) => new()
    {
        EgressBytesPerMonth = (long)(context.Get(_egress) * 1e12),
        StorageBytes = (long)(context.Get(_storage) * 1e12),
        Utilization = context.Get(_utilization),
        SessionsPerMonth = context.Get(_sessions),
    };

    private static void Print(Output output, IReadOnlyList<FleetCostRow> rows)
    {
        var hidden = rows[0].Hidden is not null;
        var table = hidden
            ? Output.NewTable("PROVIDER", "MODEL", ">BUSY/MONTH", ">IDLE", ">EGRESS", ">STORAGE", ">TOTAL/MONTH", ">HIDDEN")
            : Output.NewTable("PROVIDER", "MODEL", ">PER GPU-HOUR", ">PER HOUR", ">PER MONTH", ">PER YEAR", ">AGAINST BEST");
        foreach (var row in rows)
        {
            var provider = Words.Escape(row.Provider) + (row.Low < row.High ? $" [dim]({row.Low.UsdPerHour:0.00}–{row.High.UsdPerHour:0.00})[/]" : "");
            if (row.Hidden is { } cost)
            {
                table.AddRow(
                    provider, EnumWords.Of(row.DeploymentModel), Whole(cost.Busy), Whole(cost.Idle), Whole(cost.Egress), Whole(cost.Storage), Whole(cost.Total),
                    "+" + cost.OverBusyPercent.ToString("0", CultureInfo.InvariantCulture) + " %");
            }
            else
            {
                table.AddRow(
                    provider, EnumWords.Of(row.DeploymentModel), Words.Usd(row.PerAccelerator.UsdPerHour), Words.Usd(row.Hourly.UsdPerHour), Whole(row.Monthly),
                    Whole(row.Yearly), $"{(double)row.Yearly.Micros / rows[0].Yearly.Micros:0.00}×");
            }
        }

        output.Table(table);
    }

    private static string Whole(Money money) => "$" + Math.Round(money.Usd).ToString("#,##0", CultureInfo.InvariantCulture);
}

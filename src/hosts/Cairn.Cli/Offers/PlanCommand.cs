using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Connection;
using Cairn.Contracts.Api;
using Cairn.Contracts.Workloads;
using Cairn.Server.Plans;

namespace Cairn.Cli.Offers;

internal sealed class PlanCommand : CairnCommand
{
    private readonly Argument<string> _file = new("FILE") { Description = "The workload file; - reads it from stdin." };
    private readonly Option<string?> _at = new("--at") { Description = "Only there.", HelpName = "PROVIDER[/REGION]" };
    private readonly Option<int> _top = new("--top") { Description = "How many places to show, cheapest first.", DefaultValueFactory = _ => 8 };
    private readonly Option<int> _rejected = new("--rejected")
    {
        Description = "How many places that are out to show with their reasons.", DefaultValueFactory = _ => 8,
    };

    public PlanCommand() : base("plan", "Where would it run, what would the whole bill be, and why is each other place out. Needs no server.",
        "cairn plan examples/use-cases/llm-training.yaml --json")
    {
        Arguments.Add(_file);
        Options.Add(_at);
        Options.Add(_top);
        Options.Add(_rejected);
    }

    /// <summary>Asks a server and prints: what <c>run</c> and <c>demo</c> show.</summary>
    internal static async Task PrintAsync(Output output, ApiClient api, WorkloadText file, string? at, int top, int rejected, CancellationToken cancellationToken, bool runnableOnly = false)
    {
        var request = new PlanRequest { Workload = file.Text, FileName = file.Name, At = at, Limit = top, RejectedLimit = rejected, RunnableOnly = runnableOnly };
        Print(output, await api.PostAsync<PlanRequest, PlanAnswer>("plan", request, cancellationToken), top, rejected);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var file = await WorkloadText.ReadAsync(context.Get(_file)!, cancellationToken);
        var parsed = file.Parse(context.Output);
        var (top, rejected) = (context.Get(_top), context.Get(_rejected));
        if (top < 1 || rejected < 0)
            throw new CliException(ExitCodes.Usage, $"--top is {top} and --rejected is {rejected}; expected at least 1 and 0.");

        // In JSON everything is wanted; a person gets what fits a screen.
        var all = context.Output.IsJson;
        var answer = await AnswerAsync(context, file, parsed, context.Get(_at), all ? 0 : top, all ? 0 : rejected, cancellationToken);
        if (answer.Pipeline is not null)
            context.Output.Write(answer.Pipeline, _ => Print(context.Output, answer, top, rejected));
        else
            context.Output.Write(answer.Workload!, _ => Print(context.Output, answer, top, rejected));
        return answer.HasPlace ? ExitCodes.Success : ExitCodes.Refused;
    }

    private static async Task<PlanAnswer> AnswerAsync(
        CommandContext context, WorkloadText file, WorkloadFile parsed, string? at, int top, int rejected, CancellationToken cancellationToken)
    {
        var request = new PlanRequest { Workload = file.Text, FileName = file.Name, At = at, Limit = top, RejectedLimit = rejected };
        return context.HasServer
            ? await context.Api.PostAsync<PlanRequest, PlanAnswer>(Query.Of("plan", ("project", context.Project)), request, cancellationToken)
            : PlanAnswers.Answer(request, parsed, await LocalOffers.CompileAsync(cancellationToken));
    }

    private static void Print(Output output, PlanAnswer answer, int top, int rejected)
    {
        if (answer.Pipeline is { } pipeline)
            PrintPipeline(output, pipeline);
        else
            PrintWorkload(output, answer.Workload!, top, rejected);
    }

    private static void PrintWorkload(Output output, PlanView plan, int top, int rejected)
    {
        if (plan.Candidates.Count == 0)
            output.Markup("[yellow]No place meets these needs.[/]");
        else
            PrintCandidates(output, [.. plan.Candidates.Take(top)], plan.CandidateCount);
        if (rejected > 0 && plan.RejectedCount > 0)
            PrintRejected(output, [.. plan.Rejected.Take(rejected)], plan.RejectedCount);
    }

    private static void PrintCandidates(Output output, IReadOnlyList<CandidateView> candidates, int count)
    {
        var table = Output.NewTable(">#", "PROVIDER", "REGION~", "INSTANCE~", "PRICE", ">$/H", ">LATENCY", ">TOTAL", "");
        for (var i = 0; i < candidates.Count; i++)
        {
            var candidate = candidates[i];
            table.AddRow(
                (i + 1).ToString(CultureInfo.InvariantCulture), Words.Escape(candidate.Offer.Provider), Words.Escape(candidate.Offer.Region),
                OfferText.Machine(candidate.Offer, candidate.Machines), EnumWords.Of(candidate.PriceModel), Words.Usd(candidate.HourlyUsd),
                candidate.LatencyMs is { } ms ? Words.Number(ms) + " ms" : "–", Words.Usd(candidate.TotalUsd),
                candidate.Offer.Runnable ? "[green]●[/]" : "");
        }

        output.Table(table);
        if (candidates.Any(candidate => candidate.Offer.Runnable))
            output.Markup("[green]●[/] nodes of it have joined: a job can start there now, at the cheapest of them");
        else
            output.Note("No node of these places has joined; a job needs one to start. `cairn node token` lets machines join.");
        var best = candidates.FirstOrDefault(candidate => candidate.Offer.Runnable) ?? candidates[0];
        output.Line("");
        output.Markup($"[bold]The bill at {Words.Escape(best.Offer.Provider)}/{Words.Escape(best.Offer.Region)}[/], about {Words.Duration(TimeSpan.FromSeconds(best.ExpectedSeconds))}");
        var bill = Output.NewTable("  FOR", "HOW~", ">AMOUNT");
        foreach (var item in best.Items)
            bill.AddRow("  " + EnumWords.Of(item.Kind).Replace('_', ' '), Words.Escape(item.Detail), Words.Usd(item.AmountUsd));
        bill.AddRow("  [bold]total[/]", "", $"[bold]{Words.Usd(best.TotalUsd)}[/]");
        output.Table(bill);
        if (count > candidates.Count)
            output.Note($"{count - candidates.Count} more places fit; --top shows more.");
    }

    private static void PrintRejected(Output output, IReadOnlyList<RejectionView> rejected, int count)
    {
        output.Line("");
        output.Markup($"[bold]Out[/] ({count} offers)");
        var table = Output.NewTable("  OFFER~", "WHY~");
        foreach (var rejection in rejected)
            table.AddRow("  " + OfferText.Name(rejection.Offer), Words.Escape(string.Join("; ", rejection.Reasons.Select(reason => reason.Message))));
        output.Table(table);
        if (count > rejected.Count)
            output.Note($"{count - rejected.Count} more are out; --rejected shows more.");
    }

    private static void PrintPipeline(Output output, PipelinePlanView plan)
    {
        var table = Output.NewTable("STEP", "PROVIDER", "MODEL", "REGION", "INSTANCE~", ">TOTAL");
        foreach (var step in plan.Steps)
        {
            if (step.Chosen is { } chosen)
            {
                table.AddRow(
                    Words.Escape(step.Name), Words.Escape(chosen.Offer.Provider), EnumWords.Of(chosen.Offer.DeploymentModel), Words.Escape(chosen.Offer.Region),
                    OfferText.Machine(chosen.Offer, chosen.Machines), Words.Usd(chosen.TotalUsd));
            }
            else
            {
                var reasons = step.Rejected.SelectMany(r => r.Reasons).GroupBy(r => r.Code).OrderByDescending(g => g.Count()).Take(3).Select(g => $"{g.Count()} × {g.Key}");
                table.AddRow(Words.Escape(step.Name), "[yellow]none[/]", "", "", Words.Escape(string.Join(", ", reasons)), "–");
            }
        }

        output.Table(table);
        foreach (var transfer in plan.Transfers)
            output.Line($"  {transfer.From} → {transfer.To}: {Words.Bytes(transfer.Bytes)}, {Words.Usd(transfer.CostUsd)} ({transfer.Detail})");
        output.Markup(plan.TotalUsd is { } total ? $"[bold]Total {Words.Usd(total)}[/]" : "[yellow]Some step has no place.[/]");
    }
}

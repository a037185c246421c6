using System.CommandLine;
using System.Globalization;
using System.Text;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Bills;

internal sealed class BillCommand : CairnCommand
{
    private readonly Argument<string?> _job = new("JOB")
    {
        Description = "The invoice of this job; without it, what was spent by all.", Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> _by = new("--by") { Description = "Group by job, project, provider or day.", DefaultValueFactory = _ => "job" };
    private readonly Option<string?> _from = new("--from") { Description = "Since this day; default the first of the month.", HelpName = "YYYY-MM-DD" };
    private readonly Option<string?> _to = new("--to") { Description = "Until the end of this day; default today.", HelpName = "YYYY-MM-DD" };
    private readonly Option<bool> _csv = new("--csv") { Description = "Print CSV." };

    public BillCommand() : base("bill", "What was spent, by job, project, provider or day; or one job's invoice with what it would have cost elsewhere.",
        "cairn bill --by provider\ncairn bill train")
    {
        Arguments.Add(_job);
        foreach (var option in new Option[] { _by, _from, _to, _csv })
            Options.Add(option);
        _by.AcceptOnlyFromAmong("job", "project", "provider", "day");
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (context.Get(_job) is { } job)
        {
            var invoice = await context.Api.GetAsync<InvoiceView>(Query.Of($"jobs/{Query.Segment(job)}/invoice", ("project", context.Project)), cancellationToken);
            context.Output.Write(invoice, view => InvoiceText.Print(context.Output, view));
            return ExitCodes.Success;
        }

        var bill = await context.Api.GetAsync<BillView>(
            Query.Of("bill", ("by", context.Get(_by)), ("from", Day(context.Get(_from), "--from")), ("to", Day(context.Get(_to), "--to")), ("project", context.Project)), cancellationToken);
        if (context.Get(_csv))
            await Console.Out.WriteAsync(Csv(bill).AsMemory(), cancellationToken);
        else
            context.Output.Write(bill, view => Print(context.Output, view));
        return ExitCodes.Success;
    }

    private static void Print(Output output, BillView bill)
    {
        var table = Output.NewTable(bill.By.ToUpperInvariant() + "~", ">HOURS", ">COMPUTE", ">STORAGE", ">EGRESS", ">INFERENCE", ">FEES", ">TOTAL");
        foreach (var row in bill.Rows)
        {
            table.AddRow(
                Words.Escape(row.Key), row.BilledHours.ToString("0.####", CultureInfo.InvariantCulture), row.Compute.ToString(), row.Storage.ToString(),
                row.Egress.ToString(), row.Inference.ToString(), row.Fees.ToString(), row.Total.ToString());
        }

        table.AddRow("[bold]total[/]", "", "", "", "", "", "", $"[bold]{bill.Total}[/]");
        output.Table(table);
        if (bill.Inference is { } inference)
        {
            output.Line("");
            InvoiceText.PrintLines(output, inference);
        }
        output.Note($"{bill.From:yyyy-MM-dd} to {bill.To:yyyy-MM-dd}, UTC.");
    }

    private static string Csv(BillView bill)
    {
        var text = new StringBuilder($"{bill.By},job_id,billed_hours,compute_usd,storage_usd,egress_usd,inference_usd,fees_usd,total_usd\n");
        foreach (var row in bill.Rows)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"{Quote(row.Key)},{row.JobId},{row.BilledHours},{row.Compute.Usd},{row.Storage.Usd},{row.Egress.Usd},{row.Inference.Usd},{row.Fees.Usd},{row.Total.Usd}\n");
        }

        return text.ToString();
    }

    // RFC 4180; and a leading =, +, - or @ is kept from being read as a formula by spreadsheets.
    private static string Quote(string field)
    {
        if (field.Length > 0 && field[0] is '=' or '+' or '-' or '@')
            field = "'" + field;
        return field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string? Day(string? text, string option)
    {
        if (text is null)
            return null;
        return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            ? text
            : throw new CliException(ExitCodes.Usage, $"{option} {text}: expected a day as YYYY-MM-DD.");
    }
}

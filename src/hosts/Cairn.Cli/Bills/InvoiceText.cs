using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Spectre.Console;

namespace Cairn.Cli.Bills;

/// <summary>An invoice as a person reads it.</summary>
internal static class InvoiceText
{
    private const int MostAlternatives = 12;

    public static void Print(Output output, InvoiceView invoice)
    {
        output.Markup($"[bold]Invoice for {Words.Escape(invoice.Job)}[/]{Words.SimulatedMark(invoice.Simulated)}{(invoice.Final ? "" : "  [yellow]still running[/]")}");
        var table = Lines(invoice.Lines);
        table.AddRow("", "[bold]total[/]", "", "", "", $"[bold]{invoice.Total}[/]");
        output.Table(table);
        if (invoice.Alternatives is { Count: > 0 } alternatives)
            PrintAlternatives(output, invoice, alternatives);
    }

    public static void PrintLines(Output output, IReadOnlyList<InvoiceLine> lines) => output.Table(Lines(lines));

    private static Table Lines(IReadOnlyList<InvoiceLine> lines)
    {
        var table = Output.NewTable("KIND", "WHAT~", ">QUANTITY", "UNIT", ">PRICE", ">AMOUNT");
        foreach (var line in lines)
        {
            table.AddRow(
                Words.Escape(line.Kind), Words.Escape(line.Description), line.Quantity.ToString("0.######", CultureInfo.InvariantCulture),
                Words.Escape(line.Unit), Words.Usd(line.UnitPriceUsd), line.Amount.ToString());
        }

        return table;
    }

    private static void PrintAlternatives(Output output, InvoiceView invoice, IReadOnlyList<AlternativeView> alternatives)
    {
        output.Line("");
        output.Markup("[bold]The same seconds and bytes elsewhere[/], at the catalogue's prices");
        var table = Output.NewTable("PROVIDER", "REGION", "INSTANCE~", ">TOTAL", ">AGAINST THIS");
        foreach (var place in alternatives.Where(place => place.Total is not null).Take(MostAlternatives))
        {
            var total = place.Total!.Value;
            var ratio = invoice.Total.Micros > 0 ? $"{(double)total.Micros / invoice.Total.Micros:0.0#}×" : "–";
            table.AddRow(Words.Escape(place.Provider), Words.Escape(place.Region), Words.Escape(place.InstanceType), total.ToString(), ratio);
        }

        output.Table(table);
    }
}

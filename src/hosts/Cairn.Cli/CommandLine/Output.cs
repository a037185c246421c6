using System.Text.Json;
using Cairn.Contracts.Api;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cairn.Cli.CommandLine;

/// <summary>Where a command's words go: data on stdout, everything else on stderr; colour and progress only on a terminal.</summary>
internal sealed class Output
{
    private const int TableWidth = 100;

    // Sentences are left to the terminal to wrap; a log or a pipe gets them whole.
    private const int LineWidth = 10_000;

    private readonly IAnsiConsole _lines;

    public Output(bool json, bool plain)
    {
        IsJson = json;
        IsTerminal = !plain && !json && !Console.IsOutputRedirected;
        var notesOnTerminal = !plain && !Console.IsErrorRedirected;
        Data = MakeConsole(Console.Out, IsTerminal, TableWidth);
        _lines = MakeConsole(Console.Out, IsTerminal, LineWidth);
        Notes = MakeConsole(Console.Error, notesOnTerminal, LineWidth);
    }

    public bool IsJson { get; }

    /// <summary>True where a person looks: colours, progress and questions make sense.</summary>
    public bool IsTerminal { get; }

    /// <summary>Stdout.</summary>
    public IAnsiConsole Data { get; }

    /// <summary>Stderr.</summary>
    public IAnsiConsole Notes { get; }

    /// <summary>Writes <paramref name="value"/> as JSON in JSON mode; else runs <paramref name="forPeople"/>.</summary>
    public void Write<T>(T value, Action<T> forPeople)
    {
        if (IsJson)
            Json(value);
        else
            forPeople(value);
    }

    public void Json<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, ApiJson.Indented));

    /// <summary>One JSON document per line, for streams.</summary>
    public void JsonLine<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, ApiJson.Compact));

    public void Line(string text) => _lines.WriteLine(text);

    public void Markup(string markup) => _lines.MarkupLine(markup);

    public void Note(string text) => Notes.WriteLine(text);

    public void NoteMarkup(string markup) => Notes.MarkupLine(markup);

    public void Table(IRenderable table) => Data.Write(table);

    /// <summary>A table without borders but with a header rule, so that columns can be cut by scripts and read by people.</summary>
    public static Table NewTable(params string[] columns)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = true, Expand = false };
        foreach (var column in columns)
        {
            // A leading '>' aligns right, as numbers want it.
            var right = column.StartsWith('>');
            var header = new TableColumn(new Markup($"[bold]{Spectre.Console.Markup.Escape(column.TrimStart('>'))}[/]")) { NoWrap = !column.EndsWith('~') };
            if (column.EndsWith('~'))
                header.Header = new Markup($"[bold]{Spectre.Console.Markup.Escape(column.TrimEnd('~'))}[/]");
            header.Padding = new Padding(0, 0, 2, 0);
            table.AddColumn(right ? header.RightAligned() : header);
        }

        return table;
    }

    private static IAnsiConsole MakeConsole(TextWriter writer, bool terminal, int width)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = terminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = terminal ? InteractionSupport.Detect : InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = width == TableWidth && terminal ? Math.Min(TableWidth, Math.Max(40, console.Profile.Width)) : width;
        return console;
    }
}

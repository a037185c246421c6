using System.Text.Json;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Connection;

/// <summary>Which server to talk to, and with which key. Written by <c>cairn up</c> and <c>cairn context set</c>, mode 0600.</summary>
internal sealed record ServerContext(string Server, string? Key)
{
    /// <summary>Where the server's name is reached from this machine, as <c>address:port</c>; null asks the name service.</summary>
    public string? Dial { get; init; }

    /// <summary>
    /// A PEM file with the server's certificate or its authority's, trusted for this server beside what the machine trusts; null: nothing
    /// more.
    /// </summary>
    public string? Certificate { get; init; }

    /// <summary>The folder of the CLI's own files: <c>$CAIRN_HOME</c>, else <c>~/.cairn</c>.</summary>
    public static string Home =>
        Environment.GetEnvironmentVariable("CAIRN_HOME") is { Length: > 0 } home
            ? home
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cairn");

    public static string FilePath(string home) => Path.Combine(home, "context.json");

    /// <exception cref="CliException">No server is named anywhere.</exception>
    public static ServerContext Resolve(string? option) =>
        TryResolve(option) ?? throw new CliException(ExitCodes.Unreachable,
            "No server is known. Start one with `cairn up`, or name one with --server or $CAIRN_SERVER.");

    /// <summary>The option, then the environment, then the context file. The file's key goes only to the file's server.</summary>
    public static ServerContext? TryResolve(string? option)
    {
        var saved = Load(Home);
        var server = option ?? Environment.GetEnvironmentVariable("CAIRN_SERVER") ?? saved?.Server;
        if (string.IsNullOrWhiteSpace(server))
            return null;
        if (!Uri.TryCreate(server, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new CliException(ExitCodes.Usage, $"'{server}' is not a server's address; expected http://HOST:PORT or https://HOST:PORT.");
        var same = SameServer(saved?.Server, server) ? saved : null;
        var key = Environment.GetEnvironmentVariable("CAIRN_KEY") ?? same?.Key;
        return new ServerContext(server.TrimEnd('/'), key) { Dial = same?.Dial, Certificate = same?.Certificate };
    }

    public static ServerContext? Load(string home)
    {
        try
        {
            // By hand: every command reads it, and setting the serializer up takes longer than most commands.
            using var document = JsonDocument.Parse(File.ReadAllBytes(FilePath(home)));
            return document.RootElement.ValueKind == JsonValueKind.Object && Text(document, "server") is { } server
                ? new ServerContext(server, Text(document, "key")) { Dial = Text(document, "dial"), Certificate = Text(document, "certificate") }
                : throw new JsonException("it names no server");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException exception)
        {
            throw new CliException(ExitCodes.Usage, $"{FilePath(home)} is not a context file ({exception.Message}); delete it or write it again with `cairn context set`.");
        }
    }

    /// <summary>Writes the file atomically, readable by its owner only.</summary>
    public void Save(string home)
    {
        Directory.CreateDirectory(home);
        var path = FilePath(home);
        var temporary = path + ".new";
        File.Delete(temporary);
        using (var stream = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            JsonSerializer.Serialize(stream, this, ApiJson.Indented);
        }

        File.Move(temporary, path, overwrite: true);
    }

    private static string? Text(JsonDocument document, string name) =>
        document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool SameServer(string? a, string b) =>
        a is not null && string.Equals(a.TrimEnd('/'), b.TrimEnd('/'), StringComparison.OrdinalIgnoreCase);
}

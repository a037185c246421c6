using System.Net;
using Cairn.Serving.Certificates;

namespace Cairn.Server.Hosting;

/// <summary>How clients on the server's own machine call its REST API.</summary>
/// <param name="Url">With TLS, by a name that the certificate is for.</param>
/// <param name="Dial">Where that name is reached on this machine, whatever it resolves to, as <c>address:port</c>; null where the URL
/// says it.</param>
/// <param name="Certificate">The file with the certificate that answers, for clients that do not trust its authority; null where there is
/// none.</param>
public sealed record ClientAddress(string Url, string? Dial = null, string? Certificate = null)
{
    internal static ClientAddress Of(ServerOptions options, string httpAddress, CertificateBook book)
    {
        if (!options.Tls.IsGiven)
            return new ClientAddress(httpAddress);
        var address = new Uri(httpAddress);
        var own = address.Host.Trim('[', ']');
        var usual = book.Find(null);
        var name = options.PublicName ?? (usual?.IsFor(own) == true ? own : usual?.Names.FirstOrDefault(n => Uri.CheckHostName(n) is UriHostNameType.Dns)) ?? own;
        var answering = book.Find(name);
        var file = answering?.IsFor(name) == true ? answering.Source : options.Tls.Acme is { } acme ? Path.Combine(acme.CertificateFolder, name + ".pem") : null;
        var url = new UriBuilder(address) { Host = name }.Uri.GetLeftPart(UriPartial.Authority);
        var dial = new IPEndPoint(IPAddress.Parse(own), address.Port).ToString();
        return new ClientAddress(url, name == own ? null : dial, file is null ? null : Path.GetFullPath(file));
    }
}

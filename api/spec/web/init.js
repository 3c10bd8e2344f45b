"use strict";

window.ui = SwaggerUIBundle({
  url: "swagger/openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  showExtensions: true,
  validatorUrl: null, // nothing is sent elsewhere
  persistAuthorization: false, // a token is kept no longer than the page
});
